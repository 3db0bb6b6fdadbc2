using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Groundwork.Services.KeyValue.Protocols.Consul;

/// <summary>
/// What all calls of Consul's KV have alike: the credential, errors, and queries that wait for a change.
/// </summary>
internal sealed class ConsulCalls(
    KeyValues keys, KeyAccess access, Authenticator authenticator, TimeProvider time, CancellationToken stopping)
{
    /// <summary>Why the listener does not look at credentials.</summary>
    public const string Why = "X-Consul-Token, or any other credential, is checked inside, and refusals are Consul's";

    private const string OneDatacenter = "dc1";

    public KeyValues Keys => keys;

    /// <summary>A handler that gets calls of somebody.</summary>
    public RequestDelegate Handle(Func<ConsulCall, Task> handle) => async context =>
    {
        var caller = await AuthenticateAsync(context);
        var call = new ConsulCall(context, caller ?? Principal.Anonymous, access);
        if (caller is null)
        {
            await call.RefuseAsync(StatusCodes.Status403Forbidden, "ACL not found");
            return;
        }
        if (call.Text("dc") is { } datacenter && datacenter is not (OneDatacenter or ""))
        {
            await call.RefuseAsync(StatusCodes.Status500InternalServerError, "No path to datacenter");
            return;
        }
        if (call.Text("ns") is { } space && space is not ("default" or ""))
        {
            await call.RefuseAsync(StatusCodes.Status400BadRequest, "Keys have no namespaces here");
            return;
        }
        try
        {
            await handle(call);
        }
        catch (KeyValueRefusal refusal)
        {
            await RefuseAsync(call, refusal);
        }
        catch (StorageException failure)
        {
            await call.RefuseAsync(
                StatusCodes.Status500InternalServerError, $"rpc error: the store refuses: {failure.Fault.Error.Code}");
        }
        catch (BadHttpRequestException bad)
        {
            await call.RefuseAsync(bad.StatusCode, "The request is malformed");
        }
    };

    /// <summary>
    /// Reads now, or, when the call names the index that it knows, as soon as there is another or the time is over.
    /// </summary>
    /// <param name="ofSessions">Waits for what happens to sessions instead of keys.</param>
    /// <returns>Null when the call has been refused.</returns>
    public async Task<T?> ReadAsync<T>(ConsulCall call, KeyRange range, bool ofSessions, Func<KeyReading, T> read)
        where T : class
    {
        if (!call.TryNumber("index", out var index))
            return await RefuseAsync<T>(call, StatusCodes.Status400BadRequest, "Invalid index");
        var wait = ConsulLimits.DefaultWait;
        if (call.Text("wait") is { Length: > 0 } given && !GoDuration.TryParse(given, out wait))
            return await RefuseAsync<T>(call, StatusCodes.Status400BadRequest, "Invalid wait time");
        if (wait <= TimeSpan.Zero || wait > ConsulLimits.MaxWait)
            wait = wait <= TimeSpan.Zero ? ConsulLimits.DefaultWait : ConsulLimits.MaxWait;
        if (index is null or 0)
            return Answer(call, await keys.ReadAsync(reading => (read(reading), IndexOf(reading)), call.Aborted));

        using var waiter = keys.Feed.Enter(range, ofSessions);
        if (waiter is null)
            return await RefuseAsync<T>(
                call, StatusCodes.Status429TooManyRequests, "Too many queries wait; try again later");
        using var patience = new CancellationTokenSource(wait, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(call.Aborted, stopping, patience.Token);
        while (true)
        {
            var isOver = over.IsCancellationRequested;
            var (answer, now) = await keys.ReadInTurnAsync(
                reading => IndexOf(reading) is var at && (isOver || (ulong)at != index)
                    ? (read(reading), at)
                    : (null, at),
                call.Aborted);
            if (answer is not null) return Answer(call, (answer, now));
            try
            {
                await waiter.WaitAsync(over.Token);
            }
            catch (OperationCanceledException) when (!call.Aborted.IsCancellationRequested)
            {
                // The time is over, or the node stops: what there is now is the answer.
            }
        }

        long IndexOf(KeyReading reading) => ofSessions ? reading.Head.Sessions : reading.IndexOf(range);
    }

    /// <summary>The key that a call names; null when the call has been refused.</summary>
    public static async Task<byte[]?> KeyAsync(ConsulCall call)
    {
        var raw = call.Request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        if (call.Key(raw) is { } key) return key;
        await call.RefuseAsync(StatusCodes.Status400BadRequest, "Invalid key name");
        return null;
    }

    private static T Answer<T>(ConsulCall call, (T Answer, long Index) read)
    {
        call.Stamp(read.Index);
        return read.Answer;
    }

    private static async Task<T?> RefuseAsync<T>(ConsulCall call, int status, string text)
        where T : class
    {
        await call.RefuseAsync(status, text);
        return null;
    }

    private static Task RefuseAsync(ConsulCall call, KeyValueRefusal refusal) => refusal.Why switch
    {
        KeyValueRefusal.Kind.TooLarge =>
            call.RefuseAsync(StatusCodes.Status413PayloadTooLarge, $"Too large: {refusal.Message}"),
        KeyValueRefusal.Kind.LeaseUnknown =>
            call.RefuseAsync(StatusCodes.Status500InternalServerError, refusal.Message),
        _ => call.RefuseAsync(StatusCodes.Status429TooManyRequests, $"Too many sessions: {refusal.Message}"),
    };

    private async ValueTask<Principal?> AuthenticateAsync(HttpContext context)
    {
        var token = context.Request.Headers["X-Consul-Token"].ToString();
        if (token.Length == 0) token = context.Request.Query["token"].ToString();
        var found = token.Length > 0
            ? authenticator.AuthenticateKey(token, RequestAddress.Of(context))
            : await authenticator.AuthenticateAsync(context);
        if (found.TryGet(out var principal, out var fault)) return principal;
        access.NoteUnknown(context, fault);
        return null;
    }
}

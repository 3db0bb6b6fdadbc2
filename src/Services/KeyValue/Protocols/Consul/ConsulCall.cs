using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue.Leases;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.KeyValue.Protocols.Consul;

/// <summary>One call: who makes it, what it asks, and answers in Consul's shapes.</summary>
internal sealed class ConsulCall(HttpContext context, Principal principal, KeyAccess access)
{
    /// <summary>A text of at most 80 characters is what clients show of an error.</summary>
    private const string Denied = "Permission denied";

    private static ReadOnlySpan<byte> KeyPath => "/v1/kv"u8;

    public Principal Principal => principal;

    public CancellationToken Aborted => context.RequestAborted;

    public IQueryCollection Query => context.Request.Query;

    public HttpRequest Request => context.Request;

    public HttpResponse Response => context.Response;

    /// <summary>A parameter counts whatever it says, as in <c>?recurse</c>.</summary>
    public bool Has(string parameter) => Query.ContainsKey(parameter);

    public string? Text(string parameter) => Query.TryGetValue(parameter, out var values) ? values[0] ?? "" : null;

    public bool May(Verb verb, ResourceKey target) => access.Check(context, principal, verb, target);

    public bool May(Verb verb, Lease lease) => access.Check(context, principal, verb, lease);

    /// <summary>For filtering what is answered; a refusal is not an event.</summary>
    public bool Shows(ResourceKey target) => access.Allows(principal, Verb.Read, target);

    /// <inheritdoc cref="Shows(ResourceKey)"/>
    public bool Shows(byte[] key) => access.Allows(principal, Verb.Read, KeyAccess.Target(key));

    /// <summary>
    /// A number; null when there is none.
    /// </summary>
    /// <returns>False when there is something else.</returns>
    public bool TryNumber(string parameter, out ulong? number)
    {
        number = null;
        if (Text(parameter) is not { } text) return true;
        if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var given)) return false;
        number = given;
        return true;
    }

    /// <summary>
    /// The key in the path as it was sent: the server decodes all but the slash, after which %2F and %252F are alike.
    /// </summary>
    /// <returns>Null when the path is not in its plain form, or not UTF-8.</returns>
    public byte[]? Key(string rawTarget)
    {
        var path = Encoding.UTF8.GetBytes(rawTarget).AsSpan();
        if (path.IndexOf((byte)'?') is var query and >= 0) path = path[..query];
        if (!Ascii.EqualsIgnoreCase(path[..Math.Min(path.Length, KeyPath.Length)], KeyPath)) return null;
        path = path[KeyPath.Length..];
        if (path.Length > 0 && path[0] != '/') return null;
        var key = new byte[path.Length];
        var length = 0;
        for (var at = Math.Min(1, path.Length); at < path.Length; at++)
        {
            if (path[at] != '%') key[length++] = path[at];
            else if (at + 2 < path.Length
                && Convert.FromHexString(path.Slice(at + 1, 2), key.AsSpan(length), out _, out var written)
                    == OperationStatus.Done && written == 1)
            {
                length++;
                at += 2;
            }
            else return null;
        }
        return System.Text.Unicode.Utf8.IsValid(key.AsSpan(..length)) ? key[..length] : null;
    }

    /// <summary>The body; null when it is longer than is allowed.</summary>
    public async Task<byte[]?> BodyAsync()
    {
        if (Request.ContentLength > ConsulLimits.MaxBodyBytes) return null;
        var body = new ArrayBufferWriter<byte>();
        while (await Request.Body.ReadAsync(body.GetMemory(4_096), Aborted) is var read and > 0)
        {
            body.Advance(read);
            if (body.WrittenCount > ConsulLimits.MaxBodyBytes) return null;
        }
        return body.WrittenSpan.ToArray();
    }

    public Task RefuseAsync(int status, string text) => RefuseAsync(context, status, text);

    public static Task RefuseAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    public Task DenyAsync() => RefuseAsync(StatusCodes.Status403Forbidden, Denied);

    public Task RefuseBodyAsync() => RefuseAsync(
        StatusCodes.Status413PayloadTooLarge, $"Request body too large, max size: {ConsulLimits.MaxBodyBytes} bytes");

    /// <summary>What every read says of where it stands.</summary>
    public void Stamp(long index)
    {
        Response.Headers["X-Consul-Index"] = index.ToString(CultureInfo.InvariantCulture);
        Response.Headers["X-Consul-KnownLeader"] = "true";
        Response.Headers["X-Consul-LastContact"] = "0";
    }

    public async Task AnswerAsync(Action<Utf8JsonWriter> write, int status = StatusCodes.Status200OK)
    {
        var json = new ArrayBufferWriter<byte>();
        await using (var writer = new Utf8JsonWriter(json)) write(writer);
        Response.StatusCode = status;
        Response.ContentType = "application/json";
        Response.ContentLength = json.WrittenCount;
        await Response.Body.WriteAsync(json.WrittenMemory, Aborted);
    }

    public Task AnswerAsync(bool yes) => AnswerAsync(json => json.WriteBooleanValue(yes));
}

using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.KeyValue.Protocols.Consul;

/// <summary>Consul's key/value store: <c>/v1/kv</c>.</summary>
internal sealed class ConsulKvApi(ConsulCalls calls)
{
    private const string Path = "/v1/kv/{**key}";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(Path, calls.Handle(GetAsync)).AllowsAnyone(ConsulCalls.Why);
        endpoints.MapPut(Path, calls.Handle(PutAsync))
            .LimitsBody(ConsulLimits.RefusedBodyBytes).AllowsAnyone(ConsulCalls.Why);
        endpoints.MapDelete(Path, calls.Handle(DeleteAsync)).AllowsAnyone(ConsulCalls.Why);
    }

    private async Task GetAsync(ConsulCall call)
    {
        if (await ConsulCalls.KeyAsync(call) is not { } key) return;
        if (call.Has("recurse") || call.Has("keys"))
        {
            await ListAsync(call, key);
            return;
        }
        if (key.Length == 0)
        {
            await call.RefuseAsync(StatusCodes.Status400BadRequest, "Missing key name");
            return;
        }
        var range = KeyRange.One(key);
        if (!call.May(Verb.Read, KeyAccess.Target(key)))
        {
            await call.DenyAsync();
            return;
        }
        if (await calls.ReadAsync(call, range, ofSessions: false, reading => reading.List(range)) is not { } found)
            return;
        if (found is not [var entry]) call.Response.StatusCode = StatusCodes.Status404NotFound;
        else if (call.Has("raw")) await AnswerRawAsync(call, entry.Value);
        else
            await call.AnswerAsync(
                json => ConsulJson.WriteAll(json, found, (writer, one) => ConsulJson.Write(writer, one)));
    }

    /// <summary>A value is somebody's: no browser may take it for a page of ours.</summary>
    private static async Task AnswerRawAsync(ConsulCall call, byte[] value)
    {
        call.Response.ContentType = "text/plain";
        call.Response.ContentLength = value.Length;
        call.Response.Headers.ContentSecurityPolicy = "sandbox";
        await call.Response.Body.WriteAsync(value, call.Aborted);
    }

    private async Task ListAsync(ConsulCall call, byte[] prefix)
    {
        var range = KeyRange.Prefix(prefix);
        if (await calls.ReadAsync(call, range, ofSessions: false, reading => reading.List(range)) is not { } found)
            return;
        // Whoever may read a part of it is shown that part, and learns nothing of the rest.
        if (!call.Shows(KeyAccess.Target(range))) found = [.. found.Where(entry => call.Shows(entry.Key))];
        if (found.Count == 0)
        {
            call.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (!call.Has("keys"))
        {
            await call.AnswerAsync(
                json => ConsulJson.WriteAll(json, found, (writer, entry) => ConsulJson.Write(writer, entry)));
            return;
        }
        var names = Names(found, prefix.Length, call.Text("separator") ?? "");
        await call.AnswerAsync(
            json => ConsulJson.WriteAll(json, names, (writer, name) => writer.WriteStringValue(name)));
    }

    /// <summary>
    /// The keys, or with a separator what they begin with up to the next one after the prefix, each once.
    /// </summary>
    private static IEnumerable<string> Names(IEnumerable<KeyEntry> found, int prefix, string separator)
    {
        var end = Encoding.UTF8.GetBytes(separator);
        string? last = null;
        foreach (var entry in found)
        {
            var at = end.Length == 0 ? -1 : entry.Key.AsSpan(prefix..).IndexOf(end);
            var name = Encoding.UTF8.GetString(at < 0 ? entry.Key : entry.Key.AsSpan(..(prefix + at + end.Length)));
            if (name != last) yield return name;
            last = name;
        }
    }

    private async Task PutAsync(ConsulCall call)
    {
        if (await ConsulCalls.KeyAsync(call) is not { } key) return;
        var refusal = key.Length == 0 ? "Missing key name"
            : Conflicts(call, "cas", "acquire", "release") ?? Malformed(call, "flags") ?? Malformed(call, "cas");
        if (refusal is not null)
        {
            await call.RefuseAsync(StatusCodes.Status400BadRequest, refusal);
            return;
        }
        if (!call.May(Verb.Write, KeyAccess.Target(key)))
        {
            await call.DenyAsync();
            return;
        }
        if (await call.BodyAsync() is not { } value)
        {
            await call.RefuseBodyAsync();
            return;
        }
        call.TryNumber("flags", out var given);
        call.TryNumber("cas", out var index);
        var (flags, acquire, release) = (given ?? 0, call.Text("acquire"), call.Text("release"));
        await call.AnswerAsync(await calls.Keys.WriteAsync(
            transaction => acquire is not null ? ConsulWrites.Lock(transaction, key, value, flags, acquire) is not null
                : release is not null ? ConsulWrites.Unlock(transaction, key, value, flags, release) is not null
                : index is { } at ? ConsulWrites.CompareAndSet(transaction, key, value, flags, at) is not null
                : ConsulWrites.Set(transaction, key, value, flags) is not null,
            call.Aborted));
    }

    private async Task DeleteAsync(ConsulCall call)
    {
        if (await ConsulCalls.KeyAsync(call) is not { } key) return;
        var isTree = call.Has("recurse");
        var refusal = key.Length == 0 && !isTree ? "Missing key name"
            : Conflicts(call, "recurse", "cas") ?? Malformed(call, "cas");
        if (refusal is not null)
        {
            await call.RefuseAsync(StatusCodes.Status400BadRequest, refusal);
            return;
        }
        var range = isTree ? KeyRange.Prefix(key) : KeyRange.One(key);
        if (!call.May(Verb.Delete, KeyAccess.Target(range)))
        {
            await call.DenyAsync();
            return;
        }
        call.TryNumber("cas", out var index);
        await call.AnswerAsync(await calls.Keys.WriteAsync(
            transaction =>
            {
                if (!isTree) return ConsulWrites.Delete(transaction, key, index);
                transaction.Remove(range);
                return true;
            },
            call.Aborted));
    }

    private static string? Conflicts(ConsulCall call, params ReadOnlySpan<string> parameters)
    {
        string? first = null;
        foreach (var parameter in parameters)
        {
            if (!call.Has(parameter)) continue;
            if (first is not null) return $"Conflicting flags: {first}, {parameter}";
            first = parameter;
        }
        return null;
    }

    private static string? Malformed(ConsulCall call, string parameter) =>
        call.TryNumber(parameter, out _) ? null : $"Invalid {parameter}";
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue.Leases;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.KeyValue.Protocols.Consul;

/// <summary>
/// Consul's sessions: <c>/v1/session</c>. A session ends when it is destroyed or not renewed for its TTL; checks do not
/// end it.
/// </summary>
internal sealed class ConsulSessionApi(ConsulCalls calls, string nodeName, TimeProvider time)
{
    private const string Root = "/v1/session/";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPut(Root + "create", calls.Handle(CreateAsync))
            .LimitsBody(ConsulLimits.RefusedBodyBytes).AllowsAnyone(ConsulCalls.Why);
        endpoints.MapPut(Root + "renew/{session}", calls.Handle(RenewAsync)).AllowsAnyone(ConsulCalls.Why);
        endpoints.MapPut(Root + "destroy/{session}", calls.Handle(DestroyAsync)).AllowsAnyone(ConsulCalls.Why);
        endpoints.MapGet(Root + "info/{session}", calls.Handle(InfoAsync)).AllowsAnyone(ConsulCalls.Why);
        endpoints.MapGet(Root + "node/{node}", calls.Handle(ListAsync)).AllowsAnyone(ConsulCalls.Why);
        endpoints.MapGet(Root + "list", calls.Handle(ListAsync)).AllowsAnyone(ConsulCalls.Why);
    }

    private async Task CreateAsync(ConsulCall call)
    {
        if (await call.BodyAsync() is not { } body)
        {
            await call.RefuseBodyAsync();
            return;
        }
        if (!ConsulSessionRules.Read(body, nodeName).TryGet(out var wanted, out var fault))
        {
            await call.RefuseAsync(StatusCodes.Status400BadRequest, fault.Detail);
            return;
        }
        if (!call.May(Verb.Write, KeyAccess.LeaseNamed(wanted.Name)))
        {
            await call.DenyAsync();
            return;
        }
        var begun = wanted with
        {
            Id = BinaryPrimitives.ReadInt64BigEndian(RandomNumberGenerator.GetBytes(sizeof(long))) & long.MaxValue,
            Session = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
            Principal = call.Principal.Name,
        };
        var session = await calls.Keys.WriteAsync(transaction => transaction.Grant(begun), call.Aborted);
        await call.AnswerAsync(json =>
        {
            json.WriteStartObject();
            json.WriteString("ID", session.Session);
            json.WriteEndObject();
        });
    }

    private async Task RenewAsync(ConsulCall call)
    {
        if (await FindAsync(call, Verb.Renew) is not { } known) return;
        var renewed = await calls.Keys.WriteAsync(
            transaction => transaction.Read.FindSession(known.Session!) is { } session // A session has an id.
                ? transaction.Renew(session)
                : null,
            call.Aborted);
        if (renewed is null) await RefuseUnknownAsync(call);
        else await call.AnswerAsync(json => ConsulJson.WriteAll(json, [renewed], ConsulJson.Write));
    }

    private async Task DestroyAsync(ConsulCall call)
    {
        var known = await calls.Keys.ReadAsync(reading => reading.FindSession(IdOf(call)), call.Aborted);
        if (known is not null && !call.May(Verb.Delete, known))
        {
            await call.DenyAsync();
            return;
        }
        await call.AnswerAsync(await calls.Keys.WriteAsync(
            transaction =>
            {
                if (transaction.Read.FindSession(IdOf(call)) is { } session) transaction.Revoke(session);
                return true;
            },
            call.Aborted));
    }

    private async Task InfoAsync(ConsulCall call)
    {
        var found = await calls.ReadAsync(
            call, KeyRange.All, ofSessions: true,
            reading => reading.FindSession(IdOf(call)) is { } session ? new List<Lease> { session } : []);
        if (found is not null) await AnswerAsync(call, found);
    }

    private async Task ListAsync(ConsulCall call)
    {
        var found = await calls.ReadAsync(call, KeyRange.All, ofSessions: true, reading => reading.Sessions());
        if (found is null) return;
        var node = call.Request.RouteValues["node"] as string;
        await AnswerAsync(call, node is null ? found : found.Where(session => session.Node == node));
    }

    private static Task AnswerAsync(ConsulCall call, IEnumerable<Lease> sessions) => call.AnswerAsync(
        json => ConsulJson.WriteAll(
            json, sessions.Where(session => call.Shows(KeyAccess.Target(session))), ConsulJson.Write));

    /// <summary>The session that a call names; null when the call has been refused.</summary>
    private async Task<Lease?> FindAsync(ConsulCall call, Verb verb)
    {
        var known = await calls.Keys.ReadAsync(reading => reading.FindSession(IdOf(call)), call.Aborted);
        if (known is null) await RefuseUnknownAsync(call);
        else if (!call.May(verb, known)) await call.DenyAsync();
        else return known;
        return null;
    }

    private static Task RefuseUnknownAsync(ConsulCall call) =>
        call.RefuseAsync(StatusCodes.Status404NotFound, $"Session id '{IdOf(call)}' not found");

    // A text in a database holds no NUL; nor does an id.
    private static string IdOf(ConsulCall call) =>
        Guid.TryParseExact(call.Request.RouteValues["session"] as string, "D", out var id) ? id.ToString() : "";
}

/// <summary>What a session may be asked to be.</summary>
internal static class ConsulSessionRules
{
    /// <summary>Numbers below it are seconds, above nanoseconds.</summary>
    private const double LockDelaySeconds = 1_000;

    /// <summary>The session; a fault's detail is Consul's text.</summary>
    public static Outcome<Lease> Read(byte[] body, string nodeName)
    {
        if (body.Length == 0) return Default(nodeName);
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind switch
            {
                JsonValueKind.Object => Read(document.RootElement, nodeName),
                JsonValueKind.Null => Default(nodeName),
                _ => Wrong("Request decode failed: the body is no object"),
            };
        }
        catch (JsonException)
        {
            return Wrong("Request decode failed: the body is no JSON");
        }
        catch (InvalidOperationException)
        {
            return Wrong("Request decode failed: a text is no Unicode");
        }
    }

    private static Outcome<Lease> Read(JsonElement body, string nodeName)
    {
        if (!Text(body, "Name", out var name) || !Text(body, "Node", out var node)
            || !Text(body, "Behavior", out var behavior) || !Text(body, "TTL", out var ttlText))
            return Wrong("Request decode failed: Name, Node, Behavior and TTL are texts");
        if (name.Length > ConsulLimits.MaxNameLength || node.Length > ConsulLimits.MaxNameLength
            || name.Contains('\0') || node.Contains('\0'))
            return Wrong("Invalid session name or node");
        if (behavior is not ("" or "release" or "delete"))
            return Wrong("Invalid Behavior setting: release and delete are known");
        var ttl = TimeSpan.Zero;
        if (ttlText.Length > 0 && (!GoDuration.TryParse(ttlText, out ttl)
            || (ttl != TimeSpan.Zero && (ttl < ConsulLimits.MinTtl || ttl > ConsulLimits.MaxTtl))))
            return Wrong("Invalid Session TTL, must be between [10s=24h0m0s]");
        if (!LockDelay(body, out var delay) || delay > ConsulLimits.MaxLockDelay)
            return Wrong("Invalid LockDelay, must be between [0s=1m0s]");
        return Default(nodeName) with
        {
            Ttl = ttl,
            Name = name,
            Node = node.Length == 0 ? nodeName : node,
            DeletesKeys = behavior == "delete",
            LockDelay = delay,
        };
    }

    private static Lease Default(string nodeName) =>
        new(0, TimeSpan.Zero, "") { Node = nodeName, LockDelay = ConsulLimits.DefaultLockDelay };

    private static bool Text(JsonElement body, string name, out string text)
    {
        text = "";
        if (ConsulTransactionRules.Field(body, name) is not { } field || field.ValueKind == JsonValueKind.Null)
            return true;
        if (field.ValueKind != JsonValueKind.String) return false;
        text = field.GetString() ?? "";
        return true;
    }

    private static bool LockDelay(JsonElement body, out TimeSpan delay)
    {
        delay = ConsulLimits.DefaultLockDelay;
        if (ConsulTransactionRules.Field(body, "LockDelay") is not { } field) return true;
        if (field.ValueKind == JsonValueKind.String)
            return GoDuration.TryParse(field.GetString() ?? "", out delay);
        if (field.ValueKind != JsonValueKind.Number || !field.TryGetDouble(out var number) || number < 0) return false;
        var seconds = number < LockDelaySeconds ? number : number / 1e9;
        if (seconds > ConsulLimits.MaxLockDelay.TotalSeconds) return false;
        delay = TimeSpan.FromSeconds(seconds);
        return true;
    }

    private static Fault Wrong(string detail) => new(ErrorCodes.BadRequest, detail);
}

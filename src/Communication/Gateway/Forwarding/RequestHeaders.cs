using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using HeaderNames = Microsoft.Net.Http.Headers.HeaderNames;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>
/// Which headers of a request an instance gets. What the client names in <c>Connection</c> is taken out first, so that
/// it cannot take out what we add.
/// </summary>
internal static class RequestHeaders
{
    /// <summary>Our name in <c>Via</c>; the hops of it are counted against loops.</summary>
    public const string Pseudonym = "groundwork";

    private const string ForwardedFor = "X-Forwarded-For";
    private const string ForwardedProto = "X-Forwarded-Proto";
    private const string ForwardedHost = "X-Forwarded-Host";
    private const string ForwardedPrefix = "X-Forwarded-Prefix";

    /// <summary>Copies what is the client's, then adds what is ours.</summary>
    /// <param name="trusted">True when the peer is a proxy whose word about the client counts.</param>
    public static void Copy(
        HttpContext context, HttpRequestMessage message, RequestIdentity identity, string? strippedPrefix, bool trusted)
    {
        var from = context.Request.Headers;
        var named = HopHeaders.NamedBy(from.Connection);
        foreach (var (name, values) in from)
        {
            if (HopHeaders.IsKnown(name) || named?.Contains(name) == true || IsOurs(name, trusted)) continue;
            Add(message, name, name.Equals(
                HeaderNames.Cookie, StringComparison.OrdinalIgnoreCase) ? string.Join("; ", values!) : values);
        }
        AddForwarded(context, message, strippedPrefix, trusted);
        Add(message, HeaderNames.Via, Append(from.Via, $"{ProtocolOf(context.Request.Protocol)} {Pseudonym}"));
        Add(message, HeaderNames.TraceParent, identity.TraceParent);
        if (identity.TraceState is { } state) Add(message, HeaderNames.TraceState, state);
        if (!HopHeaders.HasToken(from.TE, "trailers")) return;
        Add(message, HeaderNames.TE, "trailers");
        Add(message, HeaderNames.Connection, "TE");
    }

    /// <summary>
    /// True when the client sent a length beside chunks, which somebody before us may have read by the length (RFC
    /// 9112, 6.1). The server puts such a length aside under another name.
    /// </summary>
    public static bool HasTwoLengths(HttpRequest request) =>
        request.Headers.TransferEncoding.Count > 0
        && (request.Headers.ContentLength is not null || request.Headers.ContainsKey("X-Content-Length"));

    /// <summary>How often the request has passed a gateway of ours.</summary>
    public static int Hops(StringValues via)
    {
        var hops = 0;
        foreach (var value in via)
            foreach (var range in value.AsSpan().Split(','))
                if (value.AsSpan()[range].Trim().EndsWith(Pseudonym, StringComparison.Ordinal)) hops++;
        return hops;
    }

    // Set below, or made from the body and the address; or what only we may say, which is dropped from strangers.
    private static bool IsOurs(string name, bool trusted)
    {
        // To many servers X_Forwarded_For is X-Forwarded-For.
        if (name.Contains('_', StringComparison.Ordinal)) return true;
        return name.ToLowerInvariant() switch
        {
            "host" or "content-length" or "expect" or "via" or "traceparent" or "tracestate" or "alt-used" => true,
            "forwarded" => true, // We speak X-Forwarded-*; two stories about one client are one too many.
            "x-forwarded-for" or "x-forwarded-proto" or "x-forwarded-host" or "x-forwarded-prefix" => true,
            "x-real-ip" => !trusted,
            var other => other[0] == ':'
                || (!trusted && (other.StartsWith("x-forwarded-", StringComparison.Ordinal)
                    || other.StartsWith("groundwork-", StringComparison.Ordinal))),
        };
    }

    private static void AddForwarded(
        HttpContext context, HttpRequestMessage message, string? strippedPrefix, bool trusted)
    {
        var from = context.Request.Headers;
        var peer = context.Connection.RemoteIpAddress is { } address ? Show(address) : "unknown";
        Add(message, ForwardedFor, trusted ? Append(from[ForwardedFor], peer) : peer);
        Add(message, ForwardedProto, trusted
            && from.TryGetValue(ForwardedProto, out var proto) ? proto : context.Request.Scheme);
        Add(message, ForwardedHost, trusted
            && from.TryGetValue(ForwardedHost, out var host) ? host : context.Request.Host.Value);
        var before = trusted ? from[ForwardedPrefix].ToString() : "";
        if (before.Length > 0 || strippedPrefix is not null) Add(message, ForwardedPrefix, before + strippedPrefix);
    }

    private static string Append(StringValues before, string last) => before.Count == 0 ? last : $"{before}, {last}";

    private static string Show(IPAddress address) =>
        (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();

    private static string ProtocolOf(string protocol) =>
        protocol == HttpProtocol.Http2 ? "2" : protocol[(protocol.IndexOf('/') + 1)..];

    // Values are as the server parsed them and are not checked again; headers about a body go with the body, or not at
    // all.
    private static void Add(HttpRequestMessage message, string name, StringValues values)
    {
        if (values.Count == 0) return;
        if (message.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values)) return;
        message.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
    }
}

/// <summary>
/// The trace that a request belongs to (W3C Trace Context): the client's when it is well formed, else a new one.
/// </summary>
internal readonly record struct RequestIdentity(string TraceParent, string? TraceState, string TraceId)
{
    public static RequestIdentity Of(IHeaderDictionary headers)
    {
        var parent = headers.TraceParent;
        if (parent.Count == 1 && ActivityContext.TryParse(parent[0], null, out var known) && parent[0]!.Length == 55)
            return new RequestIdentity(parent[0]!, headers.TraceState is { Count: > 0 } state ? state.ToString() : null,
                known.TraceId.ToHexString());
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        return new RequestIdentity($"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-00", null, trace);
    }
}

using System.Text;

namespace Groundwork.Wire.Http1;

/// <summary>Fields whose meaning somebody here has to know; every other is <see cref="Other"/>.</summary>
public enum KnownField : byte
{
    Other,
    Accept,
    AcceptEncoding,
    AltSvc,
    AltUsed,
    Authorization,
    CacheControl,
    Connection,
    ContentEncoding,
    ContentLength,
    ContentRange,
    ContentType,
    Cookie,
    Date,
    ETag,
    Expect,
    Forwarded,
    GroundworkRequestId,
    GroundworkRevision,
    Host,
    Http2Settings,
    IdempotencyKey,
    IfNoneMatch,
    KeepAlive,
    LastModified,
    MaxForwards,
    Origin,
    ProxyAuthenticate,
    ProxyAuthenticationInfo,
    ProxyAuthorization,
    ProxyConnection,
    Range,
    Referer,
    SecWebSocketAccept,
    SecWebSocketKey,
    Server,
    SetCookie,
    Te,
    TraceParent,
    TraceState,
    Trailer,
    TransferEncoding,
    Upgrade,
    UserAgent,
    Vary,
    Via,
    XForwardedFor,
    XForwardedHost,
    XForwardedPrefix,
    XForwardedProto,
    XRealIp,
}

/// <summary>Finds a field by its name, in whatever case that is written.</summary>
public static class KnownFields
{
    /// <summary>Entries of the hash table: a power of two, several times the names there are.</summary>
    private const int Slots = 256;

    // As the enumeration has them.
    private static readonly byte[][] Names = Array.ConvertAll(
        [
            "", "accept", "accept-encoding", "alt-svc", "alt-used", "authorization", "cache-control", "connection",
            "content-encoding", "content-length", "content-range", "content-type", "cookie", "date", "etag", "expect",
            "forwarded", "groundwork-request-id", "groundwork-revision", "host", "http2-settings", "idempotency-key", "if-none-match",
            "keep-alive", "last-modified", "max-forwards", "origin", "proxy-authenticate", "proxy-authentication-info",
            "proxy-authorization", "proxy-connection", "range", "referer", "sec-websocket-accept", "sec-websocket-key",
            "server", "set-cookie", "te", "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade",
            "user-agent", "vary", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-prefix",
            "x-forwarded-proto", "x-real-ip",
        ],
        Encoding.ASCII.GetBytes);

    private static readonly KnownField[][] Table = BuildTable();

    public static KnownField Find(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty) return KnownField.Other;
        foreach (var candidate in Table[Hash(name)])
            if (Ascii.EqualsIgnoreCase(name, Names[(int)candidate])) return candidate;
        return KnownField.Other;
    }

    /// <summary>The name in lower case; empty for <see cref="KnownField.Other"/>.</summary>
    public static ReadOnlySpan<byte> NameOf(KnownField field) => Names[(int)field];

    /// <summary>
    /// True for fields of one connection, which no proxy passes on (RFC 9110, 7.6.1), whether <c>Connection</c> names
    /// them or not.
    /// </summary>
    public static bool IsHopByHop(KnownField field) => field is KnownField.Connection or KnownField.KeepAlive
        or KnownField.ProxyConnection or KnownField.ProxyAuthenticate or KnownField.ProxyAuthorization
        or KnownField.ProxyAuthenticationInfo or KnownField.Te or KnownField.Trailer or KnownField.TransferEncoding
        or KnownField.Upgrade or KnownField.Http2Settings;

    private static KnownField[][] BuildTable()
    {
        var table = new KnownField[Slots][];
        Array.Fill(table, []);
        for (var index = 1; index < Names.Length; index++)
        {
            var slot = Hash(Names[index]);
            table[slot] = [.. table[slot], (KnownField)index];
        }
        return table;
    }

    private static int Hash(ReadOnlySpan<byte> name) =>
        ((name.Length * 37) + ((name[0] | 0x20) * 5) + (name[^1] | 0x20) + (name[name.Length / 2] | 0x20))
        & (Slots - 1);
}

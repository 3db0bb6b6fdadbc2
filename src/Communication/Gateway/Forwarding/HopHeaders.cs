using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>
/// Headers of one connection, which are not passed on (RFC 9110, 7.6.1): those that every proxy knows, and those that
/// the message's own <c>Connection</c> header names.
/// </summary>
internal static class HopHeaders
{
    private static readonly FrozenSet<string> Known = FrozenSet.ToFrozenSet(
        [
            "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
            "Proxy-Authentication-Info", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings",
        ],
        StringComparer.OrdinalIgnoreCase);

    public static bool IsKnown(string name) => Known.Contains(name);

    /// <summary>
    /// What the values of a <c>Connection</c> header name; null when that is nothing beyond the usual.
    /// </summary>
    public static HashSet<string>? NamedBy(StringValues connection)
    {
        HashSet<string>? named = null;
        foreach (var value in connection)
        {
            foreach (var range in value.AsSpan().Split(','))
            {
                var token = value.AsSpan()[range].Trim(" \t");
                if (token.IsEmpty || token.Equals("close", StringComparison.OrdinalIgnoreCase)
                    || token.Equals("keep-alive", StringComparison.OrdinalIgnoreCase)) continue;
                (named ??= new(StringComparer.OrdinalIgnoreCase)).Add(token.ToString());
            }
        }
        return named;
    }

    public static bool HasToken(StringValues values, string token)
    {
        foreach (var value in values)
            foreach (var range in value.AsSpan().Split(','))
                if (value.AsSpan()[range].Trim(" \t").Equals(token, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }
}

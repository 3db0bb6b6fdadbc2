using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// What a route says about hosts: a name, all names below one (<c>*.example.com</c>), or any (<c>*</c>).
/// </summary>
internal static class HostPattern
{
    public const string Any = "*";

    /// <summary>Characters of a host name (RFC 1035, 2.3.4).</summary>
    public const int MaxLength = 253;

    /// <summary>What is wrong with the pattern; null when nothing is.</summary>
    public static string? Explain(string pattern)
    {
        if (pattern == Any) return null;
        if (pattern.StartsWith('['))
        {
            return TryReadIpv6(pattern, out var canonical) && canonical == pattern
                ? null
                : canonical is null ? "is no IPv6 address in brackets" : $"must be written {canonical}";
        }
        var name = pattern.StartsWith("*.", StringComparison.Ordinal) ? pattern[2..] : pattern;
        if (name.Contains('/', StringComparison.Ordinal)) return "must be a host alone, without scheme and path";
        if (name.Contains(':', StringComparison.Ordinal))
            return "must be without port; a route serves the gateway's port";
        return IsName(name) ? null : "must be a host name in lower case, *. before one, an address, or * for any";
    }

    /// <summary>True for a host, in its normal form, that a pattern matches; for explaining.</summary>
    public static bool Meets(string pattern, string host) =>
        pattern == Any || pattern == host
        || (pattern.StartsWith("*.", StringComparison.Ordinal) && host.Length > pattern.Length - 1
            && !host.StartsWith('[') && !char.IsAsciiDigit(host[^1])
            && host.EndsWith(pattern[1..], StringComparison.Ordinal));

    private static bool IsName(string name)
    {
        if (name.Length is 0 or > MaxLength) return false;
        var label = 0;
        foreach (var c in name)
        {
            if (c == '.')
            {
                if (label == 0) return false;
                label = 0;
            }
            else if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_') label++;
            else return false;
        }
        return label > 0;
    }

    private static bool TryReadIpv6(string bracketed, [NotNullWhen(true)] out string? canonical)
    {
        canonical = null;
        if (bracketed.Length < 4 || !bracketed.EndsWith(']') || bracketed.Contains('%', StringComparison.Ordinal))
            return false;
        if (!IPAddress.TryParse(bracketed.AsSpan(1, bracketed.Length - 2), out var address)) return false;
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return false;
        canonical = $"[{address}]";
        return true;
    }
}

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

    /// <summary>
    /// The host of a request as patterns are written: lower case, without port and final dot. Null when it is no host.
    /// </summary>
    public static string? Normalize(string? header)
    {
        // The port has at most 6 characters, a dot one.
        if (header is null || header.Length > MaxLength + 8) return null;
        if (header.StartsWith('['))
        {
            var end = header.IndexOf(']', StringComparison.Ordinal);
            return end > 0 && IsPort(header.AsSpan(end + 1)) && TryReadIpv6(header[..(end + 1)], out var canonical)
                ? canonical
                : null;
        }
        var colon = header.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? header : header[..colon];
        if (colon >= 0 && !IsPort(header.AsSpan(colon))) return null;
        if (name.EndsWith('.')) name = name[..^1];
        name = name.ToLowerInvariant(); // The same string when it is lower case already.
        return IsName(name) ? name : null;
    }

    private static bool IsPort(ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty) return true;
        return rest[0] == ':' && rest.Length <= 6 && !rest[1..].ContainsAnyExceptInRange('0', '9');
    }

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

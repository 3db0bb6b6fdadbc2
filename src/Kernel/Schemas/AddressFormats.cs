using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Groundwork.Kernel.Schemas;

/// <summary>Formats of what leads to somebody or something.</summary>
internal static class AddressFormats
{
    /// <summary>Characters of a name (RFC 1123, 2.1).</summary>
    private const int MaxHostName = 253;

    private const int MaxLabel = 63;

    private static readonly SearchValues<char> Atom = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.");

    private static readonly SearchValues<char> Uri = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%");

    private static readonly SearchValues<char> Scheme = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");

    /// <summary>A mailbox of RFC 5321, 4.1.2.</summary>
    public static bool IsEmail(string text)
    {
        var at = text.LastIndexOf('@');
        if (at is < 1 or > 64) return false;
        var local = text.AsSpan(0, at);
        var domain = text.AsSpan(at + 1);
        var isLocal = local is ['"', .., '"'] && local.Length > 2
            ? IsQuoted(local[1..^1])
            : !local.ContainsAnyExcept(Atom) && local[0] != '.' && local[^1] != '.' && local.IndexOf("..") < 0;
        if (!isLocal || domain.IsEmpty) return false;
        if (domain is not ['[', .., ']']) return IsHostName(domain.ToString());
        var address = domain[1..^1].ToString();
        return address.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase) ? IsIPv6(address[5..]) : IsIPv4(address);
    }

    public static bool IsHostName(string text)
    {
        if (text.Length is 0 or > MaxHostName) return false;
        foreach (var label in text.Split('.'))
        {
            if (label.Length is 0 or > MaxLabel || label[0] == '-' || label[^1] == '-') return false;
            foreach (var one in label)
                if (!char.IsAsciiLetterOrDigit(one) && one != '-') return false;
            // Two hyphens there are kept for other readings (RFC 5890, 2.3.1), of which xn-- is the one that there is.
            if (label.Length >= 4 && label[2] == '-' && label[3] == '-'
                && !(label.Length > 4 && label.StartsWith("xn", StringComparison.OrdinalIgnoreCase))) return false;
        }
        return true;
    }

    public static bool IsIPv4(string text)
    {
        var parts = text.Split('.');
        if (parts.Length != 4) return false;
        foreach (var part in parts)
            if (part.Length is 0 or > 3 || part.AsSpan().ContainsAnyExceptInRange('0', '9')
                || (part.Length > 1 && part[0] == '0') || int.Parse(part, null) > 255) return false;
        return true;
    }

    public static bool IsIPv6(string text)
    {
        foreach (var one in text)
            if (!char.IsAsciiHexDigit(one) && one is not (':' or '.')) return false;
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot >= 0 && !IsIPv4(text[(text.LastIndexOf(':') + 1)..])) return false;
        return text.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(text, out var address)
            && address.AddressFamily == AddressFamily.InterNetworkV6;
    }

    public static bool IsUri(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && char.IsAsciiLetter(text[0]) && !text.AsSpan(0, colon).ContainsAnyExcept(Scheme)
            && IsReference(text.AsSpan(colon + 1));
    }

    public static bool IsUriReference(string text)
    {
        if (IsUri(text)) return true;
        // What has a colon in its first segment would be a URI.
        var end = text.AsSpan().IndexOfAny('/', '?', '#');
        var first = end < 0 ? text : text[..end];
        return !first.Contains(':', StringComparison.Ordinal) && IsReference(text);
    }

    private static bool IsReference(ReadOnlySpan<char> text)
    {
        if (text.ContainsAnyExcept(Uri)) return false;
        for (var at = text.IndexOf('%'); at >= 0 && at < text.Length; at++)
            if (text[at] == '%' && (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1])
                || !char.IsAsciiHexDigit(text[at + 2]))) return false;
        var hash = text.IndexOf('#');
        if (hash >= 0 && text[(hash + 1)..].Contains('#')) return false;
        var hierarchy = hash < 0 ? text : text[..hash];
        var rest = hierarchy;
        if (hierarchy.StartsWith("//"))
        {
            var end = hierarchy[2..].IndexOfAny('/', '?');
            var authority = end < 0 ? hierarchy[2..] : hierarchy.Slice(2, end);
            rest = end < 0 ? [] : hierarchy[(2 + end)..];
            if (!IsAuthority(authority)) return false;
        }
        // Brackets are for addresses alone.
        return rest.IndexOfAny('[', ']') < 0 && (hash < 0 || text[hash..].IndexOfAny('[', ']') < 0);
    }

    private static bool IsAuthority(ReadOnlySpan<char> authority)
    {
        var user = authority.LastIndexOf('@');
        if (user >= 0 && authority[..user].IndexOfAny('[', ']', '@') >= 0) return false;
        var host = authority[(user + 1)..];
        ReadOnlySpan<char> port = [];
        if (host is ['[', ..])
        {
            var end = host.IndexOf(']');
            if (end < 0 || (!IsIPv6(host[1..end].ToString()) && host[1] is not ('v' or 'V'))) return false;
            port = host[(end + 1)..];
            if (!port.IsEmpty && port[0] != ':') return false;
        }
        else
        {
            if (host.IndexOfAny('[', ']') >= 0) return false;
            var colon = host.IndexOf(':');
            if (colon >= 0) port = host[colon..];
        }
        return port.Length < 2 || !port[1..].ContainsAnyExceptInRange('0', '9');
    }

    private static bool IsQuoted(ReadOnlySpan<char> text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] is < ' ' or > '~' or '"') return false;
            if (text[at] == '\\' && ++at == text.Length) return false;
        }
        return true;
    }
}

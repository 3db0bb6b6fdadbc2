using System.Buffers;
using System.Text;

namespace Groundwork.Communication.Gateway.Content.Cors;

/// <summary>One origin, all names below one, or all origins.</summary>
internal sealed class OriginPattern
{
    private static readonly SearchValues<byte> HostBytes = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyz0123456789-."u8);

    private readonly byte[] before; // The whole of it, or up to the star.
    private readonly byte[]? after; // What follows the star; null: there is none.

    private OriginPattern(string text, byte[] before, byte[]? after)
    {
        Text = text;
        this.before = before;
        this.after = after;
    }

    public string Text { get; }

    public bool IsAll => Text == "*";

    /// <summary>True when it takes one origin alone.</summary>
    public bool IsOne => !IsAll && after is null;

    /// <summary>Null for what is none: an origin has a scheme, a host, and no path.</summary>
    public static OriginPattern? TryParse(string text)
    {
        if (text is "*" or "null") return new OriginPattern(text, Encoding.ASCII.GetBytes(text), null);
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme <= 0 || text.Length > 256 || !text.AsSpan(0, scheme).ContainsOnly("abcdefghijklmnopqrstuvwxyz+-."))
            return null;
        var rest = text[(scheme + 3)..];
        var isWild = rest.StartsWith("*.", StringComparison.Ordinal);
        var host = isWild ? rest[2..] : rest;
        var colon = host.LastIndexOf(':');
        if (colon >= 0 && !host.EndsWith(']'))
        {
            if (!ushort.TryParse(host.AsSpan(colon + 1), out var port) || $"{port}" != host[(colon + 1)..]) return null;
            host = host[..colon];
        }
        if (host.Length == 0 || !(host.StartsWith('[') && !isWild && host.EndsWith(']')
            ? host.AsSpan(1, host.Length - 2).ContainsOnly("0123456789abcdef:.")
            : host.AsSpan().ContainsOnly("abcdefghijklmnopqrstuvwxyz0123456789-."))) return null;
        return isWild
            ? new OriginPattern(
                text, Encoding.ASCII.GetBytes(text[..(scheme + 3)]), Encoding.ASCII.GetBytes(rest[1..]))
            : new OriginPattern(text, Encoding.ASCII.GetBytes(text), null);
    }

    /// <summary>True for an origin as browsers send it: in lower case, without a usual port.</summary>
    public bool Takes(ReadOnlySpan<byte> origin)
    {
        if (IsAll) return true;
        if (after is null) return origin.SequenceEqual(before);
        return origin.Length > before.Length + after.Length && origin.StartsWith(before) && origin.EndsWith(after)
            && !origin[before.Length..^after.Length].ContainsAnyExcept(HostBytes);
    }
}

file static class Characters
{
    public static bool ContainsOnly(this ReadOnlySpan<char> text, string allowed) =>
        text.IndexOfAnyExcept(allowed) < 0;
}

using System.Text;

namespace Groundwork.Communication.Gateway.Callers;

/// <summary>What one proxy says in <c>Forwarded</c> (RFC 7239, 4).</summary>
internal readonly ref struct ForwardedElement
{
    /// <summary>Whom it got the request from; empty when it does not say.</summary>
    public ReadOnlySpan<byte> For { get; private init; }

    /// <summary>Over which scheme; null when it does not say.</summary>
    public bool? IsHttps { get; private init; }

    /// <summary>False for one that is malformed, of which nothing is believed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out ForwardedElement element)
    {
        element = default;
        ReadOnlySpan<byte> from = default;
        bool? isHttps = null;
        while (!text.IsEmpty)
        {
            var equals = text.IndexOf((byte)'=');
            if (equals <= 0) return false;
            var name = text[..equals].TrimStart(" \t"u8);
            text = text[(equals + 1)..];
            if (!TryTakeValue(ref text, out var value)) return false;
            if (Ascii.EqualsIgnoreCase(name, "for"u8))
            {
                if (!from.IsEmpty) return false; // Each once.
                from = value;
            }
            else if (Ascii.EqualsIgnoreCase(name, "proto"u8))
            {
                isHttps = Ascii.EqualsIgnoreCase(value, "https"u8) ? true
                    : Ascii.EqualsIgnoreCase(value, "http"u8) ? false
                    : null;
            }
            text = text.TrimStart(" \t"u8);
            if (text.IsEmpty) break;
            if (text[0] != ';') return false;
            text = text[1..];
        }
        element = new ForwardedElement { For = from, IsHttps = isHttps };
        return true;
    }

    private static bool TryTakeValue(scoped ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (text.IsEmpty) return false;
        if (text[0] != '"')
        {
            var end = text.IndexOfAny(";, \t"u8);
            value = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[end..];
            return !value.IsEmpty && !value.Contains((byte)'"');
        }
        // Addresses have nothing to escape; whoever does hides something.
        var close = text[1..].IndexOfAny("\"\\"u8);
        if (close < 0 || text[close + 1] == '\\') return false;
        value = text.Slice(1, close);
        text = text[(close + 2)..];
        return true;
    }
}

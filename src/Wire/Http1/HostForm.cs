using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Groundwork.Wire.Http1;

/// <summary>
/// The one form of a host: lower case, without port and final dot, an IPv6 address in its shortest form.
/// </summary>
public static class HostForm
{
    /// <summary>Characters of a host name (RFC 1035, 2.3.4).</summary>
    public const int MaxLength = 253;

    /// <summary>Writes the normal form of what a Host field or an authority says.</summary>
    /// <param name="output">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>Its length; -1 when it is no host.</returns>
    public static int Normalize(ReadOnlySpan<byte> authority, Span<byte> output)
    {
        if (authority.IsEmpty) return -1;
        if (authority[0] == '[') return NormalizeIpv6(authority, output);
        var colon = authority.IndexOf((byte)':');
        var name = colon < 0 ? authority : authority[..colon];
        if (colon >= 0 && !IsPort(authority[colon..])) return -1;
        if (name.EndsWith("."u8)) name = name[..^1];
        if (name.Length is 0 or > MaxLength) return -1;
        var label = 0;
        for (var at = 0; at < name.Length; at++)
        {
            var character = name[at];
            if (character == '.')
            {
                if (label == 0) return -1;
                label = 0;
            }
            else if (character is (byte)'-' or (byte)'_' || char.IsAsciiLetterOrDigit((char)character))
            {
                label++;
                if (character is >= (byte)'A' and <= (byte)'Z') character |= 0x20;
            }
            else return -1;
            output[at] = character;
        }
        return label > 0 ? name.Length : -1;
    }

    private static int NormalizeIpv6(ReadOnlySpan<byte> authority, Span<byte> output)
    {
        var end = authority.IndexOf((byte)']');
        if (end < 3 || end > 46 || !IsPort(authority[(end + 1)..])) return -1; // 45 characters are the longest form.
        Span<char> text = stackalloc char[end - 1];
        for (var at = 0; at < text.Length; at++)
        {
            var character = (char)authority[at + 1];
            if (!char.IsAsciiHexDigit(character) && character is not (':' or '.')) return -1;
            text[at] = character;
        }
        if (!IPAddress.TryParse(text, out var address) || address.AddressFamily != AddressFamily.InterNetworkV6)
            return -1;
        output[0] = (byte)'[';
        if (!address.TryFormat(output[1..], out var length)) return -1;
        output[length + 1] = (byte)']';
        return length + 2;
    }

    private static bool IsPort(ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty) return true;
        return rest[0] == ':' && rest.Length <= 6 && !rest[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }
}

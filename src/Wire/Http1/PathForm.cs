using System.Buffers;
using System.Text.Unicode;

namespace Groundwork.Wire.Http1;

/// <summary>
/// The one form of a path that is matched, authorised and passed on: dots resolved, unreserved characters decoded, the
/// rest as sent. A path that two readers could understand differently is refused instead.
/// </summary>
public static class PathForm
{
    // Paths without these are in their normal form already, unless a segment begins with a dot.
    private static readonly SearchValues<byte> Unusual = SearchValues.Create("%;"u8);
    private static readonly SearchValues<byte> Plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%\"<>[]^`{|}"u8);

    /// <summary>True when the path is in its normal form as it stands; then nothing need be written.</summary>
    /// <param name="valid">False when it is no path at all, whatever else is done with it.</param>
    public static bool IsNormal(ReadOnlySpan<byte> path, out bool valid)
    {
        valid = path.Length > 0 && path[0] == '/' && !path.ContainsAnyExcept(Plain);
        return valid && !path.ContainsAny(Unusual) && path.IndexOf("/."u8) < 0;
    }

    /// <summary>Writes the normal form.</summary>
    /// <param name="output">At least as long as the path: the normal form is never longer.</param>
    /// <returns>Its length; -1 when the path is refused.</returns>
    public static int Normalize(ReadOnlySpan<byte> path, Span<byte> output)
    {
        if (IsNormal(path, out var valid))
        {
            path.CopyTo(output);
            return path.Length;
        }
        if (!valid) return -1;
        var length = Decode(path, output);
        return length < 0 ? -1 : RemoveDots(output[..length]);
    }

    private static int Decode(ReadOnlySpan<byte> path, Span<byte> output)
    {
        var length = 0;
        // Encoded bytes that stand together must be UTF-8 together: overlong forms are the classic second spelling of
        // a slash or a dot.
        Span<byte> run = stackalloc byte[4];
        var runLength = 0;
        for (var at = 0; at < path.Length; at++)
        {
            if (path[at] != '%')
            {
                if (runLength > 0) return -1; // A character that began in escapes does not end in plain text.
                output[length++] = path[at];
                continue;
            }
            if (at + 2 >= path.Length || !TryHex(path[at + 1], out var high) || !TryHex(path[at + 2], out var low))
                return -1;
            var value = (byte)((high << 4) | low);
            at += 2;
            // A control character, among them NUL, CR and LF, or a backslash, which some servers take for a slash.
            if (value is < 0x20 or 0x7F or (byte)'\\') return -1;
            if (value >= 0x80)
            {
                if (runLength == run.Length) return -1;
                run[runLength++] = value;
                if (Utf8.IsValid(run[..runLength])) runLength = 0;
            }
            else if (runLength > 0) return -1;
            if (IsUnreserved(value)) output[length++] = value;
            else
            {
                output[length++] = (byte)'%';
                output[length++] = Hex(value >> 4);
                output[length++] = Hex(value & 15);
            }
        }
        return runLength > 0 ? -1 : length;
    }

    // In place: what is kept moves towards the front.
    private static int RemoveDots(Span<byte> path)
    {
        var (kept, at) = (0, 0); // path[at] is the slash before a segment.
        while (at < path.Length)
        {
            var next = path[(at + 1)..].IndexOf((byte)'/');
            var end = next < 0 ? path.Length : at + 1 + next;
            var segment = path[(at + 1)..end];
            if (HidesDots(segment)) return -1;
            var last = end == path.Length;
            if (segment.SequenceEqual("."u8))
            {
                if (last) path[kept++] = (byte)'/';
            }
            else if (segment.SequenceEqual(".."u8))
            {
                // Above the root there is nothing that anybody could mean.
                if (kept == 0) return -1;
                kept = path[..kept].LastIndexOf((byte)'/');
                if (last) path[kept++] = (byte)'/';
            }
            else
            {
                path[at..end].CopyTo(path[kept..]);
                kept += end - at;
            }
            at = end;
        }
        if (kept > 0) return kept;
        path[0] = (byte)'/';
        return 1;
    }

    // "..;a", "..%3Ba" and "a%2F.." are dots to some servers behind us, and plain names to us.
    private static bool HidesDots(ReadOnlySpan<byte> segment)
    {
        if (segment.IndexOfAny((byte)';', (byte)'%') < 0) return false;
        var rest = segment;
        while (true)
        {
            var slash = rest.IndexOf("%2F"u8);
            var piece = slash < 0 ? rest : rest[..slash];
            var end = piece.IndexOf((byte)';');
            var escaped = piece.IndexOf("%3B"u8); // Some decode before they cut parameters off.
            if (end < 0 || (escaped >= 0 && escaped < end)) end = escaped;
            var name = end < 0 ? piece : piece[..end];
            if ((name.SequenceEqual("."u8) || name.SequenceEqual(".."u8)) && name.Length != segment.Length) return true;
            if (slash < 0) return false;
            rest = rest[(slash + 3)..];
        }
    }

    private static bool IsUnreserved(byte value) =>
        char.IsAsciiLetterOrDigit((char)value) || value is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~';

    private static byte Hex(int digit) => (byte)(digit < 10 ? '0' + digit : 'A' + digit - 10);

    internal static bool TryHex(byte character, out int digit)
    {
        digit = character switch
        {
            >= (byte)'0' and <= (byte)'9' => character - '0',
            >= (byte)'a' and <= (byte)'f' => character - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' => character - 'A' + 10,
            _ => -1,
        };
        return digit >= 0;
    }
}

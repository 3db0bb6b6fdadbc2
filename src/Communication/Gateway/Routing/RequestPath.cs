using System.Buffers;
using System.Text;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// The one form of a path that routes are matched against and that services get: dots resolved, unreserved characters
/// decoded, the rest as sent. A path that two readers could understand differently is refused instead.
/// </summary>
internal static class RequestPath
{
    // Paths without these are in their normal form already, unless a segment begins with a dot.
    private static readonly SearchValues<char> Unusual = SearchValues.Create("%\\;");
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%\"<>[]^`{|}");

    /// <summary>
    /// The path and the query (with its <c>?</c>, or empty) of a request target in origin or absolute form; a null path
    /// when the target is neither.
    /// </summary>
    public static (string? Path, string Query) Split(string target)
    {
        if (target.Length > 0 && target[0] != '/')
        {
            var authority = target.IndexOf("://", StringComparison.Ordinal);
            if (authority < 0) return (null, "");
            var end = target.AsSpan(authority + 3).IndexOfAny('/', '?');
            target = end < 0 ? "/" : target[(authority + 3 + end)..];
            if (target[0] == '?') target = "/" + target;
        }
        var query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? (target, "") : (target[..query], target[query..]);
    }

    /// <summary>The normal form; null when the path is refused.</summary>
    public static string? Normalize(string path)
    {
        if (path.Length == 0 || path[0] != '/' || path.AsSpan().ContainsAnyExcept(Plain)) return null;
        if (!path.AsSpan().ContainsAny(Unusual) && !path.Contains("/.", StringComparison.Ordinal)) return path;
        return Decode(path) is { } decoded ? RemoveDots(decoded) : null;
    }

    private static string? Decode(string path)
    {
        var result = new StringBuilder(path.Length);
        var encoded = new List<byte>(); // The run of encoded bytes that must be UTF-8 together.
        for (var at = 0; at < path.Length; at++)
        {
            if (path[at] != '%')
            {
                if (!IsText(encoded)) return null;
                result.Append(path[at]);
                continue;
            }
            if (at + 2 >= path.Length || !char.IsAsciiHexDigit(path[at + 1]) || !char.IsAsciiHexDigit(path[at + 2]))
                return null;
            var value = Convert.FromHexString(path.AsSpan(at + 1, 2))[0];
            at += 2;
            // A control character, among them NUL, CR and LF, or a backslash, which some servers take for a slash.
            if (value is < 0x20 or 0x7F or (byte)'\\') return null;
            if (value >= 0x80) encoded.Add(value);
            else if (!IsText(encoded)) return null;
            var c = (char)value;
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~') result.Append(c);
            else result.Append('%').Append(value.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
        return IsText(encoded) ? result.ToString() : null;
    }

    // Overlong forms are the classic second spelling of a slash or a dot; they are no UTF-8.
    private static bool IsText(List<byte> encoded)
    {
        if (encoded.Count == 0) return true;
        var valid = System.Text.Unicode.Utf8.IsValid(encoded.ToArray());
        encoded.Clear();
        return valid;
    }

    private static string? RemoveDots(string path)
    {
        var kept = new List<string>();
        var segments = path[1..].Split('/');
        for (var index = 0; index < segments.Length; index++)
        {
            var segment = segments[index];
            if (HidesDots(segment)) return null;
            var last = index == segments.Length - 1;
            switch (segment)
            {
                case "..":
                    if (kept.Count == 0) return null; // Above the root there is nothing that anybody could mean.
                    kept.RemoveAt(kept.Count - 1);
                    if (last) kept.Add("");
                    break;
                case ".":
                    if (last) kept.Add("");
                    break;
                default:
                    kept.Add(segment);
                    break;
            }
        }
        return "/" + string.Join('/', kept);
    }

    // "..;a" and "a%2F.." are dots to some servers behind us, and plain names to us.
    private static bool HidesDots(string segment)
    {
        foreach (var piece in segment.Split("%2F"))
        {
            var end = piece.IndexOf(';', StringComparison.Ordinal);
            var name = end < 0 ? piece : piece[..end];
            if (name is "." or ".." && name.Length != segment.Length) return true;
        }
        return false;
    }
}

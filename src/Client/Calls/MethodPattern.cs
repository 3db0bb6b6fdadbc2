namespace Groundwork.Client.Calls;

/// <summary>
/// A method and a path, such as <c>GET /products/*</c>: a star is one segment, and at the end whatever follows; as a
/// method it is any.
/// </summary>
internal sealed record MethodPattern(string Text, string Method, string Path)
{
    /// <summary>Of two patterns that match, the one with more written out goes first.</summary>
    public int Literals => Path.Count(c => c != '*') + (Method == "*" ? 0 : 1);

    public static bool IsPattern(string text) => text.Contains(' ', StringComparison.Ordinal);

    /// <summary>A typed client's method: a name with dots.</summary>
    public static bool IsTypedName(string text) =>
        text.Length > 0 && text.All(c => char.IsLetterOrDigit(c) || c is '_' or '.');

    public static MethodPattern? Parse(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space <= 0) return null;
        var method = text[..space];
        var path = text[(space + 1)..];
        var isMethod = method == "*" || method.All(char.IsAsciiLetterUpper);
        return isMethod && path.StartsWith('/') && !path.Contains(' ', StringComparison.Ordinal)
            && path.Split('/').All(segment => segment == "*" || !segment.Contains('*', StringComparison.Ordinal))
                ? new MethodPattern(text, method, path)
                : null;
    }

    /// <summary>Compares a request's method and path, the latter as it is sent, without the query.</summary>
    public bool Matches(string method, ReadOnlySpan<char> path)
    {
        if (Method != "*" && !Method.Equals(method, StringComparison.OrdinalIgnoreCase)) return false;
        var pattern = Path.AsSpan();
        while (true)
        {
            var wanted = Segment(ref pattern, out var isLast);
            var given = Segment(ref path, out var ends);
            if (wanted is "*" && isLast) return true;
            if (wanted is not "*" && !wanted.SequenceEqual(given)) return false;
            if (isLast || ends) return isLast && ends;
        }
    }

    private static ReadOnlySpan<char> Segment(ref ReadOnlySpan<char> path, out bool isLast)
    {
        if (path is ['/', ..]) path = path[1..];
        var end = path.IndexOf('/');
        isLast = end < 0;
        var segment = isLast ? path : path[..end];
        path = isLast ? default : path[end..];
        return segment;
    }
}

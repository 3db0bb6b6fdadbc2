namespace Groundwork.Wire;

/// <summary>The rules for namespaces and names, shared by the API, the CLI and the SDK.</summary>
public static class Names
{
    /// <summary>Characters of a namespace: a DNS label's length, so that a namespace can be one.</summary>
    public const int MaxNamespaceLength = 63;

    /// <summary>Bytes of a whole name; all allowed characters are one byte.</summary>
    public const int MaxNameLength = 512;

    /// <summary>Characters of one segment of a name.</summary>
    public const int MaxSegmentLength = 128;

    /// <summary>Where resources go that name no namespace.</summary>
    public const string DefaultNamespace = "default";

    /// <summary>Stands for the empty namespace of node-wide kinds in a path; no namespace can be called so.</summary>
    public const string NodeWide = "_";

    /// <summary><c>[a-z0-9-]{1,63}</c>.</summary>
    public static bool IsNamespace(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxNamespaceLength) return false;
        foreach (var c in text)
            if (!(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')) return false;
        return true;
    }

    /// <summary>
    /// Segments <c>[A-Za-z0-9._:@-]{1,128}</c> joined by <c>/</c>, 512 bytes in all; no segment is <c>.</c> or
    /// <c>..</c>.
    /// </summary>
    public static bool IsName(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxNameLength) return false;
        foreach (var range in text.Split('/'))
            if (!IsSegment(text[range])) return false;
        return true;
    }

    /// <summary>
    /// One segment of a name. The two dot segments are left out because HTTP clients resolve them away before they
    /// send.
    /// </summary>
    public static bool IsSegment(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxSegmentLength || text is "." or "..") return false;
        foreach (var c in text)
            if (!(char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '@' or '-')) return false;
        return true;
    }
}

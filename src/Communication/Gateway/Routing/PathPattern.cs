namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// What a route says about paths. Exact: <c>/cart</c>. Prefix: <c>/api/**</c> stands for <c>/api</c> and whatever is
/// below it, by whole segments, so that <c>/apis</c> is something else.
/// </summary>
/// <param name="Literal">The path, for a prefix without <c>/**</c>; empty for <c>/**</c> itself.</param>
internal readonly record struct PathPattern(string Literal, bool IsPrefix)
{
    /// <summary>Characters of a pattern.</summary>
    public const int MaxLength = 1024;

    private const string Below = "/**";

    /// <summary>Segments of the literal.</summary>
    public int Segments => Literal.AsSpan().Count('/');

    /// <summary>What is wrong with the pattern; null when nothing is.</summary>
    public static string? Explain(string pattern)
    {
        if (pattern.Length > MaxLength) return $"is longer than {MaxLength} characters";
        if (!pattern.StartsWith('/')) return "must begin with /";
        var (literal, isPrefix) = Parse(pattern);
        if (literal.Contains('*', StringComparison.Ordinal)) return "may have /** at its end, and no other *";
        if (literal.Length == 0) return null;
        if (literal.Contains("//", StringComparison.Ordinal)) return "must not have two / in a row";
        if (isPrefix && literal.EndsWith('/')) return "must not have two / in a row";
        var normal = RequestPath.Normalize(literal);
        if (normal is null) return "is no path: it takes no ?, #, control characters or half escapes";
        return normal == literal ? null : $"must be written {normal}{(isPrefix ? Below : "")}";
    }

    public static PathPattern Parse(string pattern) => pattern.EndsWith(Below, StringComparison.Ordinal)
        ? new PathPattern(pattern[..^Below.Length], true)
        : new PathPattern(pattern, false);

    /// <summary>True when the prefix is whole leading segments of every path that matches.</summary>
    public bool BeginsWith(string prefix) =>
        prefix.Length > 1 && prefix[0] == '/' && prefix[^1] != '/'
        && Literal.StartsWith(prefix, StringComparison.Ordinal)
        && (Literal.Length == prefix.Length || Literal[prefix.Length] == '/');
}

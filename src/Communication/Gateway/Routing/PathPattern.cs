using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>The forms of a path in a route, the one that goes first first.</summary>
internal enum PathForm
{
    /// <summary><c>/cart</c>.</summary>
    Exact,

    /// <summary><c>/orders/{id}</c>: each <c>{name}</c> is one whole segment.</summary>
    Template,

    /// <summary><c>/api/**</c> or <c>/shops/{shop}/**</c>: the path itself and whatever is below it.</summary>
    Prefix,

    /// <summary><c>~/items/[0-9]+</c>: an expression for the whole path.</summary>
    Expression,
}

/// <summary>What a route says about paths, by whole segments: <c>/apis</c> is not below <c>/api</c>.</summary>
internal sealed class PathPattern
{
    /// <summary>Characters of a pattern.</summary>
    public const int MaxLength = 1024;

    /// <summary>Characters of an expression: it is run for every request that no tree finds a route for.</summary>
    public const int MaxExpressionLength = 256;

    /// <summary>All counts of an expression multiplied, as <c>{3}</c>: its automaton is that much larger.</summary>
    public const int MaxExpressionCount = 1_000;

    /// <summary>Captured segments or named groups of one pattern.</summary>
    public const int MaxParameters = 8;

    /// <summary>Characters of a parameter's name.</summary>
    public const int MaxParameterLength = 32;

    private const string Below = "/**";

    private PathPattern(
        string text, PathForm form, string literal, byte[] key, ImmutableArray<string> parameters, Regex? expression)
    {
        Text = text;
        Form = form;
        Literal = literal;
        Key = key;
        Parameters = parameters;
        Expression = expression;
    }

    /// <summary>As written.</summary>
    public string Text { get; }

    public PathForm Form { get; }

    /// <summary>What every path that matches begins with: up to the first parameter, without <c>/**</c>.</summary>
    public string Literal { get; }

    /// <summary>Its place in the tree; the same for patterns that match the same. Empty for an expression.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>Names of what it captures, in order.</summary>
    public ImmutableArray<string> Parameters { get; }

    public Regex? Expression { get; }

    /// <summary>What is wrong with the pattern; null when nothing is.</summary>
    public static string? Explain(string pattern)
    {
        if (pattern.StartsWith('~')) return ExplainExpression(pattern[1..]);
        if (pattern.Length > MaxLength) return $"is longer than {MaxLength} characters";
        if (!pattern.StartsWith('/')) return "must begin with /, or with ~ before an expression";
        var isPrefix = pattern.EndsWith(Below, StringComparison.Ordinal);
        var path = isPrefix ? pattern[..^Below.Length] : pattern;
        if (path.Contains('*', StringComparison.Ordinal)) return "may have /** at its end, and no other *";
        if (path.Length == 0) return null;
        if (path.Contains("//", StringComparison.Ordinal) || (isPrefix && path.EndsWith('/')))
            return "must not have two / in a row";
        if (ExplainParameters(path) is { } wrong) return wrong;
        var normal = Normalize(path);
        if (normal is null) return "is no path: it takes no ?, #, control characters or half escapes";
        return normal == path ? null : $"must be written {normal}{(isPrefix ? Below : "")}";
    }

    /// <summary>Reads a pattern that nothing is wrong with.</summary>
    public static PathPattern Parse(string pattern)
    {
        if (pattern.StartsWith('~'))
        {
            var expression = Compile(pattern[1..]);
            return new PathPattern(pattern, PathForm.Expression, "", [],
                [.. expression.GetGroupNames().Where(IsName)], expression);
        }
        var isPrefix = pattern.EndsWith(Below, StringComparison.Ordinal);
        var path = isPrefix ? pattern[..^Below.Length] : pattern;
        var parameters = ImmutableArray.CreateBuilder<string>();
        var key = new List<byte>(path.Length);
        var segments = path.Split('/');
        for (var index = 0; index < segments.Length; index++)
        {
            if (index > 0) key.Add((byte)'/');
            if (IsParameter(segments[index]))
            {
                parameters.Add(segments[index][1..^1]);
                key.Add(RadixNode<PathRoutes>.AnySegment);
            }
            else key.AddRange(Encoding.ASCII.GetBytes(segments[index]));
        }
        var brace = parameters.Count == 0 ? path.Length : path.IndexOf("/{", StringComparison.Ordinal);
        return new PathPattern(
            pattern,
            isPrefix ? PathForm.Prefix : parameters.Count > 0 ? PathForm.Template : PathForm.Exact,
            path[..brace], [.. key], parameters.ToImmutable(), null);
    }

    /// <summary>The same for patterns that match the same paths: without the names of parameters.</summary>
    public static string Shape(string pattern)
    {
        if (pattern.StartsWith('~') || !pattern.Contains('{', StringComparison.Ordinal)) return pattern;
        return string.Join('/', pattern.Split('/').Select(segment => IsParameter(segment) ? "{}" : segment));
    }

    /// <summary>True when the prefix is whole leading segments of every path that matches.</summary>
    public bool BeginsWith(string prefix) =>
        prefix.Length > 1 && prefix[0] == '/' && prefix[^1] != '/'
        && Literal.StartsWith(prefix, StringComparison.Ordinal)
        && (Literal.Length == prefix.Length || Literal[prefix.Length] == '/');

    /// <summary>True for a path that it matches; for explaining, while requests go by the tree.</summary>
    public bool Meets(string path)
    {
        if (Expression is not null) return Expression.IsMatch(path);
        var isPrefix = Form == PathForm.Prefix;
        var (own, theirs) = ((isPrefix ? Text[..^Below.Length] : Text).Split('/'), path.Split('/'));
        if (isPrefix ? theirs.Length < own.Length : theirs.Length != own.Length) return false;
        for (var index = 0; index < own.Length; index++)
            if (IsParameter(own[index]) ? theirs[index].Length == 0 : theirs[index] != own[index]) return false;
        return true;
    }

    public override string ToString() => Text;

    private static string? ExplainParameters(string path)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var segment in path.Split('/'))
        {
            if (!segment.AsSpan().ContainsAny('{', '}')) continue;
            if (!IsParameter(segment)) return "may have {name} as a whole segment, and no other braces";
            if (!names.Add(segment[1..^1])) return $"has {segment} twice";
        }
        return names.Count > MaxParameters ? $"has more than {MaxParameters} parameters" : null;
    }

    private static bool IsParameter(string segment) =>
        segment.Length > 2 && segment[0] == '{' && segment[^1] == '}' && IsName(segment[1..^1]);

    /// <summary>True for the name of a parameter: a letter, then letters, digits and underscores.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= MaxParameterLength && char.IsAsciiLetter(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>What is wrong with an expression; null when nothing is.</summary>
    public static string? ExplainExpression(string expression)
    {
        if (expression.Length is 0 or > MaxExpressionLength)
            return $"must have 1 to {MaxExpressionLength} characters after the ~";
        if (Counts(expression) > MaxExpressionCount)
            return $"repeats too much: its counts, multiplied, may be {MaxExpressionCount} together";
        try
        {
            _ = new Regex(expression, RegexOptions.NonBacktracking); // By itself: a)|(b is none that has an end.
            var names = Compile(expression).GetGroupNames().Where(name => !char.IsAsciiDigit(name[0])).ToList();
            if (names.Find(name => !IsName(name)) is { } odd) return $"has a group '{odd}', which is no name";
            return names.Count > MaxParameters ? $"has more than {MaxParameters} named groups" : null;
        }
        catch (ArgumentException fault)
        {
            return $"is no expression: {fault.Message}";
        }
        catch (NotSupportedException)
        {
            return "has what would need backtracking: look-around, back references, atomic groups or conditions";
        }
    }

    private static long Counts(string expression)
    {
        var product = 1L;
        foreach (Match count in Regex.Matches(
            expression, @"\{(?:\d{1,9},)?(\d{1,9}),?\}", RegexOptions.NonBacktracking, TimeSpan.FromSeconds(1)))
            product = Math.Min(
                long.MaxValue >> 31,
                product * Math.Max(1, int.Parse(count.Groups[1].ValueSpan,
                    System.Globalization.CultureInfo.InvariantCulture)));
        return product;
    }

    /// <summary>The expression for the whole of a text; its time is linear in the text, whatever it is.</summary>
    public static Regex Compile(string expression) => new(
        $@"\A(?:{expression})\z",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant);

    // The one form that requests come in.
    public static string? Normalize(string path)
    {
        if (!System.Text.Ascii.IsValid(path)) return null;
        Span<byte> output = new byte[path.Length];
        var length = Wire.Http1.PathForm.Normalize(System.Text.Encoding.ASCII.GetBytes(path), output);
        return length < 0 ? null : System.Text.Encoding.ASCII.GetString(output[..length]);
    }
}

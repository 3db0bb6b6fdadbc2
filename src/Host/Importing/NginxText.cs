using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Groundwork.Host.Importing;

/// <summary>What nginx's words are in ours: variables, times, expressions.</summary>
internal static partial class NginxText
{
    /// <summary>Characters that an expression of a path may have; see the kind.</summary>
    private const int MaxExpressionLength = 256;

    /// <summary>No word of a file takes longer.</summary>
    private const int MatchMilliseconds = 1_000;

    /// <summary>A text with variables as one of ours with places; null where it has one that we do not have.</summary>
    public static string? TemplateOf(string text)
    {
        var output = new StringBuilder();
        var at = 0;
        foreach (Match variable in Variable().Matches(text))
        {
            output.Append(Literal(text[at..variable.Index]));
            var place = (variable.Groups[1].Success ? variable.Groups[1] : variable.Groups[2]).Value switch
            {
                "host" => "{host}",
                "remote_addr" => "{client}",
                "uri" or "request_uri" or "document_uri" => "{path}",
                _ => null,
            };
            if (place is null) return null;
            output.Append(place);
            at = variable.Index + variable.Length;
        }
        output.Append(Literal(text[at..]));
        return output.ToString();
    }

    /// <summary>A text in which nothing is a place.</summary>
    public static string Literal(string text) => text.Replace("{", "{{", StringComparison.Ordinal);

    public static bool HasVariables(string text) => Variable().IsMatch(text);

    /// <summary>The key of a hash; null for one that we do not have.</summary>
    public static string? KeyOf(string key) => key switch
    {
        "$remote_addr" or "$binary_remote_addr" => "client",
        _ when key.StartsWith("$http_", StringComparison.Ordinal) => "header:" + key[6..].Replace('_', '-'),
        _ when key.StartsWith("$cookie_", StringComparison.Ordinal) => "cookie:" + key[8..],
        _ when key.StartsWith("$arg_", StringComparison.Ordinal) => "query:" + key[5..],
        _ => null,
    };

    /// <summary>
    /// A path's expression for a location's, which may match anywhere; null for one that ours has no equal to.
    /// </summary>
    public static string? ExpressionOf(string theirs, bool anyCase)
    {
        var inner = theirs;
        // With alternatives an anchor belongs to one of them; ours are around them all.
        if (theirs.Contains('|', StringComparison.Ordinal)) inner = $".*(?:{theirs}).*";
        else
        {
            inner = inner.StartsWith('^') ? inner[1..] : ".*" + inner;
            var isWhole = inner.EndsWith('$') && !inner.EndsWith("\\$", StringComparison.Ordinal);
            inner = isWhole ? inner[..^1] : inner + ".*";
        }
        if (anyCase) inner = "(?i)" + inner;
        return Checked(inner);
    }

    /// <summary>The expression for all paths that begin with a text, whole segments or not.</summary>
    public static string? ExpressionOfPrefix(string prefix, bool captures) =>
        Checked(Regex.Escape(prefix) + (captures ? "(?<below>.*)" : ".*"));

    /// <summary>A time such as <c>30</c>, <c>1m</c>, <c>1m30s</c> or <c>500ms</c>; null for none.</summary>
    public static long? MillisecondsOf(string text)
    {
        var parts = Time().Match(text);
        if (!parts.Success || text.Length == 0) return null;
        var total = 0L;
        for (var index = 0; index < parts.Groups[1].Captures.Count; index++)
            total += long.Parse(parts.Groups[1].Captures[index].ValueSpan, CultureInfo.InvariantCulture)
                * (parts.Groups[2].Captures[index].Value switch
                {
                    "ms" => 1, "m" => 60_000, "h" => 3_600_000, "d" => 86_400_000, _ => 1_000,
                });
        return total;
    }

    public static (string Name, string Value) Cut(string argument)
    {
        var at = argument.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? (argument, "") : (argument[..at], argument[(at + 1)..]);
    }

    private static string? Checked(string expression)
    {
        try
        {
            _ = new Regex(expression, RegexOptions.NonBacktracking);
            return expression.Length <= MaxExpressionLength ? "~" + expression : null;
        }
        catch (Exception fault) when (fault is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"\$(?:\{(\w+)\}|(\w+))", RegexOptions.None, MatchMilliseconds)]
    private static partial Regex Variable();

    [GeneratedRegex(@"\A(?:(\d{1,9})(ms|[smhd]|))+\z", RegexOptions.None, MatchMilliseconds)]
    private static partial Regex Time();
}

using System.Text.RegularExpressions;

namespace Groundwork.Tests.Architecture.Tidy;

/// <summary>A method found in a source: its name, whether a test runner runs it, and its text.</summary>
internal sealed record SourceMethod(string Name, bool IsTest, int Line, string Body);

/// <summary>
/// Just enough reading of C# for the tidy rules: text in which comments and literals are blank, so that a word in a
/// string is no code; and the methods in it. It is no compiler, and a rule that would need one is an analyzer's.
/// </summary>
internal static partial class CSharpText
{
    /// <summary>The text with every comment, string and character turned to spaces; lines and columns stay.</summary>
    public static string Blank(string text, bool keepComments = false)
    {
        var blank = text.ToCharArray();
        for (var i = 0; i < text.Length;)
        {
            var (end, isComment) = TokenEnd(text, i);
            if (end == i)
            {
                i++;
                continue;
            }
            if (!(isComment && keepComments))
                for (var k = i; k < end; k++)
                    if (blank[k] is not ('\n' or '\r')) blank[k] = ' ';
            i = end;
        }
        return new string(blank);
    }

    /// <summary>Every method with a body. Local functions and methods of nested types are found too.</summary>
    public static IEnumerable<SourceMethod> Methods(string text)
    {
        var code = Blank(text);
        foreach (Match match in Head().Matches(code))
        {
            if (Keywords.Contains(match.Groups["name"].Value)) continue;
            var close = Closing(code, match.Index + match.Length - 1, '(', ')');
            if (close < 0 || BodyOf(code, close + 1) is not { } body) continue;
            var line = code.AsSpan(0, match.Index).Count('\n') + 1;
            yield return new SourceMethod(match.Groups["name"].Value, IsTest(code, match.Index), line, body);
        }
    }

    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "if", "for", "foreach", "while", "switch", "using", "lock", "catch", "return", "await", "new", "nameof",
            "typeof",
        "default", "fixed", "when", "base", "this", "in", "is", "and", "or", "not", "checked", "sizeof", "stackalloc",
    };

    private static (int End, bool IsComment) TokenEnd(string text, int start)
    {
        var rest = text.AsSpan(start);
        if (rest.StartsWith("//")) return (EndOf(text, start, "\n", 0), true);
        if (rest.StartsWith("/*")) return (EndOf(text, start + 2, "*/", 2), true);
        if (rest[0] == '\'') return (Quoted(text, start + 1, '\''), false);
        var i = start;
        while (i < text.Length && text[i] is '$' or '@') i++;
        if (i >= text.Length || text[i] != '"') return (start, false);
        var dollars = text.AsSpan(start, i - start).Count('$');
        var isVerbatim = text.AsSpan(start, i - start).Contains('@');
        var quotes = 0;
        while (i + quotes < text.Length && text[i + quotes] == '"') quotes++;
        if (quotes >= 3) return (EndOf(text, i + quotes, new string('"', quotes), quotes), false);
        return (StringEnd(text, i + 1, isVerbatim, dollars > 0), false);
    }

    private static int StringEnd(string text, int start, bool isVerbatim, bool hasHoles)
    {
        for (var i = start; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"' when isVerbatim && i + 1 < text.Length && text[i + 1] == '"':
                case '\\' when !isVerbatim:
                case '{' when hasHoles && i + 1 < text.Length && text[i + 1] == '{':
                    i++;
                    break;
                case '"':
                    return i + 1;
                case '{' when hasHoles:
                    i = HoleEnd(text, i + 1) - 1;
                    break;
            }
        }
        return text.Length;
    }

    // A hole may hold strings of its own, which may have holes.
    private static int HoleEnd(string text, int start)
    {
        var depth = 1;
        for (var i = start; i < text.Length;)
        {
            var (end, _) = TokenEnd(text, i);
            if (end > i)
            {
                i = end;
                continue;
            }
            if (text[i] == '{') depth++;
            if (text[i] == '}' && --depth == 0) return i + 1;
            i++;
        }
        return text.Length;
    }

    private static int Quoted(string text, int start, char quote)
    {
        for (var i = start; i < text.Length && text[i] != '\n'; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == quote) return i + 1;
        }
        return start;
    }

    private static int EndOf(string text, int start, string mark, int length)
    {
        var found = text.IndexOf(mark, start, StringComparison.Ordinal);
        return found < 0 ? text.Length : found + length;
    }

    private static int Closing(string code, int open, char opening, char closing)
    {
        var depth = 0;
        for (var i = open; i < code.Length; i++)
        {
            if (code[i] == opening) depth++;
            else if (code[i] == closing && --depth == 0) return i;
        }
        return -1;
    }

    private static string? BodyOf(string code, int from)
    {
        var match = AfterHead().Match(code, from);
        if (!match.Success || match.Index != from) return null;
        var start = match.Index + match.Length;
        if (match.Value.EndsWith('{'))
        {
            var end = Closing(code, start - 1, '{', '}');
            return end < 0 ? null : code[start..end];
        }
        var depth = 0;
        for (var i = start; i < code.Length; i++)
        {
            if (code[i] is '(' or '{' or '[') depth++;
            else if (code[i] is ')' or '}' or ']') depth--;
            else if (code[i] == ';' && depth == 0) return code[start..i];
        }
        return null;
    }

    // The attributes stand between the method's head and whatever ended before it.
    private static bool IsTest(string code, int head)
    {
        var start = head == 0 ? -1 : code.LastIndexOfAny([';', '}', '{'], head - 1);
        return TestAttribute().IsMatch(code[(start + 1)..head]);
    }

    // A return type and a name, then the parameters. `new`, `return` and the like before the name make it a call.
    [GeneratedRegex(
        @"(?<=[\w>\])?*]\s+)(?<!\b(new|return|await|throw|in|is|and|or|not|else|yield|case|when)\s+)"
        + @"(?<name>[A-Za-z_]\w*)\s*(<[^<>()]*>)?\s*\(",
        RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Head();

    [GeneratedRegex(@"(\s*where\s+[^{;=]*?)?\s*(\{|=>)", RegexOptions.None, 5000)]
    private static partial Regex AfterHead();

    // An explicit one runs only when it is named: a process that other tests start, and watch.
    [GeneratedRegex(@"\[[^\]]*\b(Fact|Theory)\b(?![^\]]*Explicit\s*=\s*true)", RegexOptions.None, 1000)]
    private static partial Regex TestAttribute();
}

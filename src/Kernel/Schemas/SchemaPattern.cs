using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;

namespace Groundwork.Kernel.Schemas;

/// <summary>
/// A pattern of ECMA-262, as JSON Schema writes them, for .NET's engine that never backtracks: its time is linear in
/// the text. What such an engine cannot do (looking around, referring back) is a fault of the schema.
/// </summary>
internal static class SchemaPattern
{
    /// <summary>Characters of a pattern; the automaton grows with it.</summary>
    public const int MaxLength = 1_000;

    /// <summary>A bound that linear time never comes near; a matter of principle.</summary>
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(1);

    private const string Space = @"\t\n\v\f\r \u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF";

    private const string AnyCharacter = @"(?:[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\n\r\u2028\u2029])";

    // Unicode's long names for what .NET knows by the short ones.
    private static readonly FrozenDictionary<string, string> Categories = new Dictionary<string, string>
    {
        ["Letter"] = "L", ["Lowercase_Letter"] = "Ll", ["Uppercase_Letter"] = "Lu", ["Titlecase_Letter"] = "Lt",
        ["Modifier_Letter"] = "Lm", ["Other_Letter"] = "Lo", ["Mark"] = "M", ["Number"] = "N",
        ["Decimal_Number"] = "Nd", ["digit"] = "Nd", ["Letter_Number"] = "Nl", ["Other_Number"] = "No",
        ["Punctuation"] = "P", ["punct"] = "P", ["Symbol"] = "S", ["Separator"] = "Z", ["Other"] = "C",
        ["Control"] = "Cc", ["cntrl"] = "Cc",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static bool TryCompile(
        string pattern, [NotNullWhen(true)] out Regex? regex, [NotNullWhen(false)] out string? fault)
    {
        regex = null;
        if (pattern.Length > MaxLength)
        {
            fault = $"has a pattern of more than {MaxLength} characters";
            return false;
        }
        try
        {
            regex = new Regex(
                Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, MatchTimeout);
            fault = null;
            return true;
        }
        catch (NotSupportedException)
        {
            fault = "has a pattern that looks around or refers back, or one that is too large";
        }
        catch (ArgumentException)
        {
            fault = "has a pattern that is no regular expression of ECMA-262";
        }
        return false;
    }

    /// <summary>Whether a text is one; it is only read.</summary>
    public static bool IsPattern(string pattern)
    {
        try
        {
            _ = new Regex(Translate(pattern), RegexOptions.CultureInvariant, MatchTimeout);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static string Translate(string pattern)
    {
        var result = new StringBuilder(pattern.Length + 16);
        var inClass = false;
        for (var at = 0; at < pattern.Length; at++)
        {
            var c = pattern[at];
            if (c == '\\' && at + 1 < pattern.Length) at = Escape(pattern, at + 1, inClass, result);
            else if (c == '[' && inClass) result.Append(@"\["); // .NET would begin a subtraction after a hyphen.
            else if (c == '[')
            {
                inClass = true;
                result.Append(c);
            }
            else if (c == ']' && inClass)
            {
                inClass = false;
                result.Append(c);
            }
            else if (c == '$' && !inClass) result.Append(@"\z"); // .NET's would match before a last line end, too.
            else if (c == '.' && !inClass) result.Append(AnyCharacter);
            else if (!inClass && char.IsHighSurrogate(c) && at + 1 < pattern.Length)
            {
                // One character of ECMA-262's, and two of .NET's: what follows counts for both.
                result.Append("(?:").Append(c).Append(pattern[++at]).Append(')');
            }
            else
                result.Append(c);
        }
        return result.ToString();
    }

    private static int Escape(string pattern, int at, bool inClass, StringBuilder result)
    {
        switch (pattern[at])
        {
            case 'd': result.Append(inClass ? "0-9" : "[0-9]"); return at;
            case 'D': result.Append(inClass ? @"\x00-/:-\uFFFF" : "[^0-9]"); return at;
            case 'w': result.Append(inClass ? "A-Za-z0-9_" : "[A-Za-z0-9_]"); return at;
            case 'W': result.Append(inClass ? @"\x00-/:-@\[-\^`{-\uFFFF" : "[^A-Za-z0-9_]"); return at;
            case 's': result.Append(inClass ? Space : $"[{Space}]"); return at;
            case 'S' when !inClass: result.Append($"[^{Space}]"); return at;
            case 'a' or 'e' or 'A' or 'Z' or 'z' or 'G': throw new ArgumentException("no escape of ECMA-262");
            case 'p' or 'P': return Category(pattern, at, result);
            case 'u' when at + 1 < pattern.Length && pattern[at + 1] == '{':
                var end = pattern.IndexOf('}', at);
                if (end < 0) throw new ArgumentException("no end of an escape");
                var rune = new Rune(Convert.ToInt32(pattern[(at + 2)..end], 16));
                result.Append(Regex.Escape(rune.ToString()));
                return end;
            default:
                // What is no letter or digit stands for itself in both.
                result.Append('\\').Append(pattern[at]);
                return at;
        }
    }

    private static int Category(string pattern, int at, StringBuilder result)
    {
        var end = pattern.IndexOf('}', at);
        if (end < 0 || at + 1 >= pattern.Length || pattern[at + 1] != '{')
            throw new ArgumentException("no category");
        var name = pattern[(at + 2)..end];
        result.Append('\\').Append(pattern[at]).Append('{').Append(Categories.GetValueOrDefault(name, name))
            .Append('}');
        return end;
    }
}

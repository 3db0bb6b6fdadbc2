using System.Text;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Formats;

/// <summary>
/// Java's <c>.properties</c> by the rules of <c>java.util.Properties.load</c>; stricter in one point: a key twice is a
/// fault, where Java lets the last one win in silence.
/// </summary>
internal static class PropertiesFormat
{
    public static void Check(string content, ContentFaults faults)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var reader = new PropertiesReader(content, faults);
        while (!faults.Full && reader.Next() is { } entry)
        {
            if (seen.TryAdd(entry.Key, entry.Line)) continue;
            var first = seen[entry.Key];
            faults.Quoting(
                "properties", $"key '{entry.Key}' stands here a second time; the first is on line {first}", entry.Line,
                    entry.Column);
        }
    }
}

/// <summary>An entry of a properties text, and where it begins.</summary>
/// <param name="Path">The key's parts: dots nest, <c>[0]</c> is an item of a list, and <c>\.</c> is a dot of the name.
/// </param>
internal readonly record struct PropertiesEntry(string Key, string[] Path, string Value, int Line, int Column);

/// <summary>Reads the keys of a properties text one by one, and checks the escapes of the values on the way.</summary>
internal sealed class PropertiesReader(string text, ContentFaults faults)
{
    /// <summary>Parts of a key; the last one holds whatever more it has.</summary>
    public const int MaxParts = 64;

    private int at;
    private int line = 1;
    private int lineStart;

    /// <summary>The next entry; null at the end.</summary>
    public PropertiesEntry? Next()
    {
        SkipToEntry();
        if (at >= text.Length) return null;
        var (entryLine, entryColumn) = (line, at - lineStart + 1);
        var key = new StringBuilder();
        while (Peek() is { } c && !IsBlank(c) && c is not ('=' or ':')) Take(key, isKey: true);
        var name = key.ToString();
        var path = name.Replace("].", "]", StringComparison.Ordinal).Replace(']', '.').Replace('[', '.').TrimEnd('.')
            .Split('.', MaxParts).Select(part => part.Replace(SettingSyntax.KeptDot, '.')).ToArray();
        return new PropertiesEntry(name.Replace(SettingSyntax.KeptDot, '.'), path, ReadValue(), entryLine, entryColumn);
    }

    // Blank lines and comments. A comment ends with its own line: a backslash at its end means nothing.
    private void SkipToEntry()
    {
        while (at < text.Length)
        {
            if (IsBlank(text[at])) at++;
            else if (IsLineEnd(text[at])) EndLine();
            else if (text[at] is '#' or '!') SkipLine();
            else return;
        }
    }

    private void SkipLine()
    {
        while (at < text.Length && !IsLineEnd(text[at])) at++;
    }

    private string ReadValue()
    {
        SkipBlanks();
        if (Peek() is '=' or ':')
        {
            at++;
            SkipBlanks();
        }
        var value = new StringBuilder();
        while (Peek() is not null) Take(value, isKey: false);
        return value.ToString();
    }

    private void SkipBlanks()
    {
        while (Peek() is { } c && IsBlank(c)) at++;
    }

    /// <summary>
    /// The next character of the logical line, after any continuation; null where the logical line ends.
    /// </summary>
    private char? Peek()
    {
        while (at + 1 < text.Length && text[at] == '\\' && IsLineEnd(text[at + 1]))
        {
            at++;
            EndLine();
            while (at < text.Length && IsBlank(text[at])) at++;
        }
        return at < text.Length && !IsLineEnd(text[at]) ? text[at] : null;
    }

    private void Take(StringBuilder into, bool isKey)
    {
        if (text[at] != '\\')
        {
            into.Append(text[at++]);
            return;
        }
        var column = at - lineStart + 1;
        at++;
        if (at >= text.Length) return; // Java drops a backslash that ends the text.
        var escaped = text[at++];
        if (escaped == 'u') TakeUnicode(into, column);
        else if (escaped == '.' && isKey) into.Append(SettingSyntax.KeptDot);
        else into.Append(escaped switch { 't' => '\t', 'n' => '\n', 'r' => '\r', 'f' => '\f', _ => escaped });
    }

    private void TakeUnicode(StringBuilder into, int column)
    {
        var value = 0;
        for (var digit = 0; digit < 4; digit++)
        {
            if (at >= text.Length || !char.IsAsciiHexDigit(text[at]))
            {
                faults.Add("has \\u without four hexadecimal digits", line, column);
                return;
            }
            value = (value << 4) + Convert.ToInt32(text[at++].ToString(), 16);
        }
        into.Append((char)value);
    }

    private void EndLine()
    {
        if (text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n') at++;
        at++;
        line++;
        lineStart = at;
    }

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\f';

    private static bool IsLineEnd(char c) => c is '\n' or '\r';
}

using System.Globalization;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Client.Settings;

/// <summary>
/// Java properties as keys: dots nest, <c>[0]</c> is a list's item, and <c>\.</c> is a dot that belongs to the name.
/// Comments, continued lines and escapes are those of java.util.Properties; a later line of the same key is a fault.
/// </summary>
internal static class PropertiesSettingText
{
    public static void Read(string text, SettingKeys keys)
    {
        foreach (var line in LogicalLines(text))
        {
            var (name, value) = Split(line);
            keys.Add(SettingSyntax.KeyOfProperty(name), value);
        }
    }

    // A line that ends in an odd number of backslashes goes on in the next, whose leading white space is dropped.
    private static IEnumerable<string> LogicalLines(string text)
    {
        var whole = new StringBuilder();
        foreach (var raw in text.ReplaceLineEndings("\n").Split('\n'))
        {
            var line = raw.TrimStart(' ', '\t', '\f');
            if (whole.Length == 0 && (line.Length == 0 || line[0] is '#' or '!')) continue;
            var backslashes = line.Length - line.TrimEnd('\\').Length;
            if (backslashes % 2 == 1)
            {
                whole.Append(line, 0, line.Length - 1);
                continue;
            }
            yield return whole.Append(line).ToString();
            whole.Clear();
        }
        if (whole.Length > 0) yield return whole.ToString();
    }

    private static (string Name, string Value) Split(string line)
    {
        var end = 0;
        while (end < line.Length && line[end] is not ('=' or ':' or ' ' or '\t' or '\f'))
            end += line[end] == '\\' ? 2 : 1;
        end = Math.Min(end, line.Length);
        var rest = line[end..].TrimStart(' ', '\t', '\f');
        if (rest is ['=' or ':', ..]) rest = rest[1..].TrimStart(' ', '\t', '\f');
        return (Unescape(line[..end], isKey: true), Unescape(rest, isKey: false));
    }

    private static string Unescape(string text, bool isKey)
    {
        if (!text.Contains('\\', StringComparison.Ordinal)) return text;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 >= text.Length)
            {
                if (text[i] != '\\') result.Append(text[i]);
                continue;
            }
            i++;
            if (text[i] == 'u')
            {
                result.Append(CodePoint(text, i + 1));
                i += 4;
                continue;
            }
            result.Append(text[i] switch
            {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'f' => '\f',
                '.' when isKey => SettingSyntax.KeptDot,
                var other => other,
            });
        }
        return result.ToString();
    }

    private static char CodePoint(string text, int start) =>
        start + 4 <= text.Length
        && ushort.TryParse(
            text.AsSpan(start, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            ? (char)code
            : throw new FormatException("it has '\\u' without four hexadecimal digits");
}

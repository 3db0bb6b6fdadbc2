using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Texts;

/// <summary>
/// Java properties in their keys: dots nest, <c>[0]</c> is a list's item, <c>\.</c> is a dot of the name. Edited line
/// by line, so that everything else stays as it is.
/// </summary>
internal sealed class PropertiesText : KeyedText
{
    private readonly ImmutableArray<PropertiesLine> lines;

    public PropertiesText(string content)
        : base(content)
    {
        lines = Distinct(PropertiesLine.ReadAll(content), line => SettingSyntax.KeyOfProperty(line.Name));
        Keys = [.. lines.Select(line => new TextKey(SettingSyntax.KeyOfProperty(line.Name), line.Value))];
    }

    public override IReadOnlyList<TextKey> Keys { get; }

    protected override KeyedText? Again(string content) => Read("properties", content);

    protected override EditedText? Edit(KeyedText source, IReadOnlySet<string> keys, Func<string, bool> isRight)
    {
        var theirs = ((PropertiesText)source).lines
            .ToDictionary(line => SettingSyntax.KeyOfProperty(line.Name), StringComparer.OrdinalIgnoreCase);
        var result = new StringBuilder();
        var at = 0;
        foreach (var line in lines)
        {
            var key = SettingSyntax.KeyOfProperty(line.Name);
            if (!keys.Contains(key)) continue;
            if (theirs.Remove(key, out var replacement))
            {
                result.Append(Content, at, line.ValueStart - at);
                // A name alone on its line has no sign before its value yet.
                if (line.ValueStart == line.NameEnd
                    && replacement.ValueEnd > replacement.ValueStart) result.Append('=');
                result.Append(source.Content, replacement.ValueStart, replacement.ValueEnd - replacement.ValueStart);
                at = line.ValueEnd;
            }
            else
            {
                result.Append(Content, at, line.Start - at);
                at = line.End;
            }
        }
        result.Append(Content, at, Content.Length - at);
        foreach (var added in ((PropertiesText)source).lines)
        {
            var key = SettingSyntax.KeyOfProperty(added.Name);
            if (!keys.Contains(key) || !theirs.ContainsKey(key)) continue;
            if (result.Length > 0 && result[^1] != '\n') result.Append('\n');
            result.Append(source.Content, added.Start, added.ValueEnd - added.Start).Append('\n');
        }
        var edited = result.ToString();
        return isRight(edited) ? new EditedText(edited, CommentsLost: false) : null;
    }

    /// <summary>What is written between a name and the end of its value, undone.</summary>
    internal static string Unescape(ReadOnlySpan<char> text, bool isName)
    {
        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '\\')
            {
                result.Append(text[at]);
                continue;
            }
            if (++at >= text.Length) break;
            switch (text[at])
            {
                case '\r' or '\n': // Goes on in the next line, whose leading white space does not count.
                    if (text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n') at++;
                    while (at + 1 < text.Length && text[at + 1] is ' ' or '\t' or '\f') at++;
                    break;
                case 'u':
                    result.Append(
                        at + 4 < text.Length && ushort.TryParse(
                            text.Slice(at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                            out var unit)
                            ? (char)unit
                            : throw new FormatException("it has '\\u' without four hexadecimal digits"));
                    at += 4;
                    break;
                case var c:
                    result.Append(c switch
                    {
                        'n' => '\n', 't' => '\t', 'r' => '\r', 'f' => '\f',
                        '.' when isName => SettingSyntax.KeptDot,
                        _ => c,
                    });
                    break;
            }
        }
        return result.ToString();
    }

    /// <summary>A value as the format writes it on one line.</summary>
    public static string Escape(string value)
    {
        var result = new StringBuilder(value.Length);
        foreach (var c in value)
        {
            result.Append(c switch
            {
                '\\' => "\\\\", '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", '\f' => "\\f",
                ' ' when result.Length == 0 => "\\ ",
                _ => c.ToString(),
            });
        }
        return result.ToString();
    }
}

/// <summary>One entry of a properties text: a logical line, which may be several lines long.</summary>
/// <param name="Start">Where its first line begins.</param>
/// <param name="NameEnd">After the last character of the name as it is written.</param>
/// <param name="ValueStart">The value as it is written, to <paramref name="ValueEnd"/>.</param>
/// <param name="End">After the end of its last line.</param>
internal sealed record PropertiesLine(
    string Name, string Value, int Start, int NameEnd, int ValueStart, int ValueEnd, int End)
{
    public static IEnumerable<PropertiesLine> ReadAll(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var start = at;
            while (at < text.Length && IsBlank(text[at])) at++;
            if (at >= text.Length) yield break;
            if (text[at] is '\n' or '\r' or '#' or '!')
            {
                at = NextLine(text, at);
                continue;
            }
            var end = LogicalEnd(text, at);
            var next = Math.Min(NextLine(text, end), text.Length);
            yield return Read(text, start, at, end, next);
            at = next;
        }
    }

    private static PropertiesLine Read(string text, int start, int nameStart, int end, int next)
    {
        var nameEnd = nameStart;
        while (nameEnd < end && !IsBlank(text[nameEnd]) && text[nameEnd] is not ('=' or ':'))
            nameEnd = Step(text, nameEnd, end);
        var value = SkipBlanks(text, nameEnd, end);
        if (value < end && text[value] is '=' or ':') value = SkipBlanks(text, value + 1, end);
        return new PropertiesLine(
            PropertiesText.Unescape(text.AsSpan(nameStart..nameEnd), isName: true),
            PropertiesText.Unescape(text.AsSpan(value..end), isName: false),
            start, nameEnd, value, end, next);
    }

    // A continuation between name and value counts as blank.
    private static int SkipBlanks(string text, int at, int end)
    {
        while (at < end)
        {
            if (IsBlank(text[at])) at++;
            else if (text[at] == '\\' && at + 1 < end && text[at + 1] is '\n' or '\r') at = Step(text, at, end);
            else break;
        }
        return at;
    }

    private static int Step(string text, int at, int end)
    {
        if (text[at] != '\\') return at + 1;
        return Math.Min(end, text.AsSpan(at).StartsWith("\\\r\n") ? at + 3 : at + 2);
    }

    private static int LogicalEnd(string text, int at)
    {
        while (at < text.Length && text[at] is not ('\n' or '\r')) at = Step(text, at, text.Length);
        return at;
    }

    private static int NextLine(string text, int at)
    {
        while (at < text.Length && text[at] is not ('\n' or '\r')) at++;
        if (at < text.Length) at += text.AsSpan(at).StartsWith("\r\n") ? 2 : 1;
        return at;
    }

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\f';
}

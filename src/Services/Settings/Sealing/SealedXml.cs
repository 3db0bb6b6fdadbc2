using System.Text;

namespace Groundwork.Services.Settings.Sealing;

/// <summary>
/// Opens sealed values in XML where they stand, in text, attributes and character data, and leaves every other
/// character of the document alone.
/// </summary>
internal static class SealedXml
{
    private const string CommentStart = "<!--";
    private const string DataStart = "<![CDATA[";
    private const string DataEnd = "]]>";

    /// <param name="open">Opens the sealed values of one piece of text.</param>
    public static string Open(string content, Func<string, string> open)
    {
        var result = new StringBuilder(content.Length);
        for (var at = 0; at < content.Length;)
        {
            var rest = content.AsSpan(at);
            if (rest.StartsWith(CommentStart)) at = Keep(content, at, "-->", result);
            else if (rest.StartsWith("<?")) at = Keep(content, at, "?>", result);
            else if (rest.StartsWith(DataStart))
            {
                var end = EndOf(content, at, DataEnd);
                Put(result, content[at..end], open, text => text.Replace(
                    DataEnd, "]]]]><![CDATA[>", StringComparison.Ordinal));
                at = end;
            }
            else
            {
                // A tag with its attributes, or the text up to the next one: the same escapes hold in both.
                var end = rest[0] == '<' ? TagEnd(content, at) : NextTag(content, at);
                Put(result, content[at..end], open, Escape);
                at = end;
            }
        }
        return result.ToString();
    }

    private static void Put(
        StringBuilder result, string piece, Func<string, string> open, Func<string, string> escape)
    {
        var at = 0;
        foreach (System.Text.RegularExpressions.Match token in SealedTexts.Token().Matches(piece))
        {
            var opened = open(token.Value);
            result.Append(piece, at, token.Index - at).Append(opened == token.Value ? opened : escape(opened));
            at = token.Index + token.Length;
        }
        result.Append(piece, at, piece.Length - at);
    }

    private static string Escape(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            result.Append(c switch
            {
                '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '"' => "&quot;", '\'' => "&apos;",
                // As they are, an attribute's would be read as blanks.
                '\n' => "&#10;", '\r' => "&#13;", '\t' => "&#9;",
                _ => c.ToString(),
            });
        }
        return result.ToString();
    }

    private static int Keep(string content, int at, string close, StringBuilder result)
    {
        var end = EndOf(content, at, close);
        result.Append(content, at, end - at);
        return end;
    }

    private static int EndOf(string content, int at, string close)
    {
        var end = content.IndexOf(close, at, StringComparison.Ordinal);
        return end < 0 ? content.Length : end + close.Length;
    }

    private static int NextTag(string content, int at)
    {
        var next = content.IndexOf('<', at);
        return next < 0 ? content.Length : next;
    }

    // An attribute's value may have a closing bracket.
    private static int TagEnd(string content, int at)
    {
        var quote = '\0';
        for (; at < content.Length; at++)
        {
            var c = content[at];
            if (quote != '\0')
            {
                if (c == quote) quote = '\0';
            }
            else if (c is '"' or '\'') quote = c;
            else if (c == '>') return at + 1;
        }
        return content.Length;
    }
}

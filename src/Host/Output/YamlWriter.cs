using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Documents;

namespace Groundwork.Host.Output;

/// <summary>
/// Writes JSON as YAML that <see cref="YamlReader"/> reads back as the same JSON, and that YAML 1.1 readers do not take
/// otherwise. Text of several lines is a literal block.
/// </summary>
internal static class YamlWriter
{
    private static readonly JsonSerializerOptions Quoted =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(JsonNode? document)
    {
        var text = new StringBuilder();
        WriteValue(text, document, indent: 0, afterDash: false);
        return text.ToString();
    }

    /// <summary>Writes a value that starts right after <c>key:</c>, <c>-</c> or at the start of the document.</summary>
    private static void WriteValue(StringBuilder text, JsonNode? value, int indent, bool afterDash)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } members:
                var first = afterDash;
                foreach (var (name, member) in members)
                {
                    if (!first) text.Append(' ', indent);
                    first = false;
                    text.Append(Scalar(name)).Append(':');
                    WriteMember(text, member, indent);
                }
                break;
            case JsonArray { Count: > 0 } items:
                first = afterDash;
                foreach (var item in items)
                {
                    if (!first) text.Append(' ', indent);
                    first = false;
                    text.Append("- ");
                    WriteValue(text, item, indent + 2, afterDash: true);
                }
                break;
            default:
                WriteScalar(text, value, indent);
                break;
        }
    }

    private static void WriteMember(StringBuilder text, JsonNode? member, int indent)
    {
        var nested = member is JsonObject { Count: > 0 } or JsonArray { Count: > 0 };
        text.Append(nested ? '\n' : ' ');
        WriteValue(text, member, nested ? indent + 2 : indent, afterDash: false);
    }

    private static void WriteScalar(StringBuilder text, JsonNode? value, int indent)
    {
        if (value is JsonValue scalar && scalar.GetValueKind() == JsonValueKind.String)
        {
            var content = scalar.GetValue<string>();
            if (IsBlock(content)) WriteBlock(text, content, indent);
            else text.Append(Scalar(content)).Append('\n');
            return;
        }
        // null, booleans, numbers, [] and {} are the same in YAML.
        text.Append(value?.ToJsonString() ?? "null").Append('\n');
    }

    private static void WriteBlock(StringBuilder text, string content, int indent)
    {
        var ends = content.EndsWith('\n');
        text.Append(ends ? "|\n" : "|-\n");
        foreach (var line in content[..^(ends ? 1 : 0)].Split('\n'))
        {
            if (line.Length > 0) text.Append(' ', indent + 2).Append(line);
            text.Append('\n');
        }
    }

    // What a literal block holds without tricks: lines that neither start the text with a space nor end it with empty
    // lines.
    private static bool IsBlock(string content) =>
        content.Contains('\n', StringComparison.Ordinal)
        && content[0] is not (' ' or '\n' or '\t')
        && !content.EndsWith("\n\n", StringComparison.Ordinal)
        && content.Split('\n').All(line => line.Length == 0 || line.Trim(' ', '\t').Length > 0)
        && content.All(c => c == '\n' || c == '\t' || IsPlainCharacter(c));

    private static string Scalar(string content) =>
        IsPlain(content) ? content : JsonSerializer.Serialize(content, Quoted);

    private static bool IsPlain(string content)
    {
        if (content.Length == 0 || !CoreSchema.IsText(content) || IsTextOnlyForUs(content)) return false;
        if (!(char.IsLetterOrDigit(content[0]) || content[0] is '/' or '_' or '.' or '$' or '(')
            || content[^1] is ' ' or ':')
            return false;
        return content.All(IsPlainCharacter)
            && !content.Contains(": ", StringComparison.Ordinal)
            && !content.Contains(" #", StringComparison.Ordinal)
            && content is not ("..." or "---");
    }

    // YAML 1.1 readers, which are still common, take these for booleans, numbers or times.
    private static bool IsTextOnlyForUs(string content) =>
        content.ToLowerInvariant() is "y" or "n" or "yes" or "no" or "on" or "off"
        || (char.IsDigit(
            content[0]) && content.All(c => char.IsDigit(c) || c is '_' or ':' or '.' or '-' or 'T' or 'Z'));

    // Surrogates are quoted with the rest of what YAML calls not printable; the reader joins the escaped halves.
    private static bool IsPlainCharacter(char c) =>
        c is >= ' ' and < '\x7f' or (>= '\xa0' and not '\u2028' and not '\u2029' and not '\ufeff')
        && !char.IsSurrogate(c) && c is not ('\ufffe' or '\uffff');
}

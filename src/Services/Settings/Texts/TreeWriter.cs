using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Groundwork.Kernel.Documents;

namespace Groundwork.Services.Settings.Texts;

/// <summary>Writes nodes as JSON or YAML, indented as a text is already.</summary>
internal sealed partial class TreeWriter
{
    private const int YamlIndent = 2;

    private readonly bool isJson;
    private readonly string unit;

    private TreeWriter(bool isJson, string unit, string lineEnd)
    {
        this.isJson = isJson;
        this.unit = unit;
        LineEnd = lineEnd;
    }

    public string LineEnd { get; }

    /// <summary>True for JSON that stands on one line.</summary>
    private bool IsOneLine => isJson && unit.Length == 0;

    public static TreeWriter For(string text, bool isJson)
    {
        var lineEnd = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        if (!isJson) return new TreeWriter(false, new string(' ', YamlIndent), lineEnd);
        var indented = FirstIndent().Match(text);
        return new TreeWriter(
            true, indented.Success ? indented.Groups["indent"].Value : text.Length > 2 ? "" : "  ", lineEnd);
    }

    /// <summary>Text as both formats read it.</summary>
    public static string Quoted(string text) =>
        $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    public string WriteDocument(TextNode root)
    {
        var text = new StringBuilder();
        if (isJson) WriteFlow(text, root, "");
        else if (root.Entries.Count == 0) text.Append("{}");
        else WriteBlock(text, root, "");
        if (text.Length > 0 && text[^1] != '\n') text.Append(LineEnd);
        return text.ToString();
    }

    /// <summary>A key and its value, or an item, without the line's own indent.</summary>
    /// <param name="indent">Of the line it will stand on.</param>
    public string WriteEntry(TextNode parent, TextEntry entry, string indent, bool isFlow)
    {
        var text = new StringBuilder();
        if (isFlow)
        {
            if (parent.Kind == NodeKind.Map) text.Append(Name(entry.Name)).Append(": ");
            WriteFlow(text, entry.Node, indent);
        }
        else WriteBlockEntry(text, parent, entry, indent);
        return text.ToString();
    }

    /// <summary>A value in brackets, or a scalar.</summary>
    public string WriteValue(TextNode node, string indent)
    {
        var text = new StringBuilder();
        WriteFlow(text, node, indent);
        return text.ToString();
    }

    private void WriteFlow(StringBuilder text, TextNode node, string indent)
    {
        if (node.Kind == NodeKind.Scalar)
        {
            text.Append(isJson ? node.Raw : FlowRaw(node));
            return;
        }
        var (open, close) = node.Kind == NodeKind.Map ? ('{', '}') : ('[', ']');
        text.Append(open);
        var oneLine = IsOneLine || !isJson;
        for (var index = 0; index < node.Entries.Count; index++)
        {
            if (index > 0) text.Append(oneLine ? ", " : ",");
            if (!oneLine) text.Append(LineEnd).Append(indent).Append(unit);
            text.Append(WriteEntry(node, node.Entries[index], indent + unit, isFlow: true));
        }
        if (!oneLine && node.Entries.Count > 0) text.Append(LineEnd).Append(indent);
        text.Append(close);
    }

    private void WriteBlock(StringBuilder text, TextNode node, string indent)
    {
        for (var index = 0; index < node.Entries.Count; index++)
        {
            if (index > 0) text.Append(LineEnd).Append(indent);
            WriteBlockEntry(text, node, node.Entries[index], indent);
        }
    }

    private void WriteBlockEntry(StringBuilder text, TextNode parent, TextEntry entry, string indent)
    {
        text.Append(parent.Kind == NodeKind.Map ? Name(entry.Name) + ":" : "-");
        if (entry.Node.Kind == NodeKind.Scalar) text.Append(' ').Append(entry.Node.Raw);
        else if (entry.Node.Entries.Count == 0) text.Append(entry.Node.Kind == NodeKind.Map ? " {}" : " []");
        else if (parent.Kind == NodeKind.List)
        {
            text.Append(' ');
            WriteBlock(text, entry.Node, indent + unit);
        }
        else
        {
            text.Append(LineEnd).Append(indent).Append(unit);
            WriteBlock(text, entry.Node, indent + unit);
        }
    }

    private string Name(string name) =>
        !isJson && PlainName().IsMatch(name) && CoreSchema.IsText(name) ? name : Quoted(name);

    // Between brackets a plain scalar ends at more characters than outside them.
    private static string FlowRaw(TextNode node) =>
        node.Raw.Length > 0 && node.Raw[0] is not ('"' or '\'') && node.Raw.AsSpan().IndexOfAny(",[]{}:") >= 0
            ? Quoted(node.Value ?? "")
            : node.Raw;

    [GeneratedRegex(@"\n(?<indent>[ \t]+)\S", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FirstIndent();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.\-]*\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PlainName();
}

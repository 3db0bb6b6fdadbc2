using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Groundwork.Host.Output;

internal enum OutputFormat { Table, Json, Yaml }

/// <summary>Prints what a verb has to say, in the format that was asked for.</summary>
internal sealed class Answer(Terminal terminal, OutputFormat format)
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // For a terminal or a file, never for HTML.
    };

    public bool IsTable => format == OutputFormat.Table;

    /// <summary>Prints the document as it came from the platform, or the table made of it.</summary>
    public void Print(JsonNode? document, Func<Table> table)
    {
        if (IsTable) table().Print(terminal.Out);
        else PrintDocument(document);
    }

    /// <summary>The same for one line of text instead of a table.</summary>
    public void Print(JsonNode? document, string text)
    {
        if (IsTable) terminal.Out.WriteLine(text);
        else PrintDocument(document);
    }

    /// <summary>One document of a stream: JSON on one line, YAML with a separator.</summary>
    public void PrintNext(JsonNode? document, Func<string> text)
    {
        switch (format)
        {
            case OutputFormat.Table:
                terminal.Out.WriteLine(text());
                break;
            case OutputFormat.Json:
                terminal.Out.WriteLine(ToJson(document, indented: false));
                break;
            case OutputFormat.Yaml:
                terminal.Out.Write($"---\n{YamlWriter.Write(document)}");
                break;
        }
        terminal.Out.Flush();
    }

    private static readonly JsonSerializerOptions OneLine = new(Indented) { WriteIndented = false };

    public static string ToJson(JsonNode? document, bool indented) =>
        document?.ToJsonString(indented ? Indented : OneLine) ?? "null";

    private void PrintDocument(JsonNode? document)
    {
        if (format == OutputFormat.Json) terminal.Out.WriteLine(ToJson(document, indented: true));
        else terminal.Out.Write(YamlWriter.Write(document));
    }
}

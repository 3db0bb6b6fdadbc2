using System.Xml;

namespace Groundwork.Services.Settings.Formats;

/// <summary>
/// Well-formed XML 1.0 without a document type: so no entities of its own, and nothing is ever fetched.
/// </summary>
internal static class XmlFormat
{
    /// <summary>Levels of nesting; the reader itself would go on until memory ends.</summary>
    public const int MaxDepth = 64;

    public static void Check(string content, ContentFaults faults)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            ConformanceLevel = ConformanceLevel.Document,
            CheckCharacters = true,
        };
        using var reader = XmlReader.Create(new StringReader(content), settings);
        try
        {
            while (reader.Read())
            {
                if (reader.Depth < MaxDepth) continue;
                var at = (IXmlLineInfo)reader;
                faults.Add($"is nested deeper than {MaxDepth} levels", at.LineNumber, at.LinePosition);
                return;
            }
        }
        catch (XmlException fault)
        {
            var (line, column) = fault.LineNumber > 0
                ? (fault.LineNumber, Math.Max(1, fault.LinePosition))
                : DocumentType(content);
            if (fault.Message.Contains("DTD", StringComparison.Ordinal))
                faults.Add("has a document type declaration, which is not allowed", line, column);
            else
                faults.Quoting("XML", Explain(fault.Message), line, column);
        }
    }

    // The reader refuses a document type without saying where it stands.
    private static (int Line, int Column) DocumentType(string content)
    {
        var before = content.AsSpan(0, Math.Max(0, content.IndexOf("<!DOCTYPE", StringComparison.Ordinal)));
        return (before.Count('\n') + 1, before.Length - before.LastIndexOf('\n'));
    }

    // The reader's messages end with " Line 3, position 5."; the fault says so itself.
    private static string Explain(string message)
    {
        var end = message.LastIndexOf(" Line ", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).TrimEnd('.');
    }
}

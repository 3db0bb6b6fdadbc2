using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>
/// Eureka's XML and JSON are one document in two forms: a field <c>@name</c> is an attribute, <c>$</c> is the text
/// beside attributes, and a list is an element that repeats.
/// </summary>
internal static class EurekaXml
{
    public const string MediaType = "application/xml";

    private const string Attribute = "@";
    private const string Text = "$";

    /// <summary>Elements in elements: an instance has four.</summary>
    private const int MaxDepth = 16;

    /// <summary>Reads a document as the JSON that it stands for: its root is the one field.</summary>
    public static Outcome<JsonObject> Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var reader = XmlReader.Create(
                new MemoryStream(bytes.ToArray(), writable: false), new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit, // A few lines of them could become any size.
                XmlResolver = null,
                IgnoreComments = true,
                IgnoreProcessingInstructions = true,
                IgnoreWhitespace = true,
            });
            if (reader.MoveToContent() != XmlNodeType.Element) return NotXml("it has no element");
            var name = XmlConvert.DecodeName(reader.LocalName);
            return new JsonObject { [name] = ReadElement(reader, 1) };
        }
        catch (XmlException fault)
        {
            return NotXml(string.Create(CultureInfo.InvariantCulture, $"line {fault.LineNumber}"));
        }
    }

    /// <summary>Writes a field and what is in it.</summary>
    public static byte[] Write(string name, JsonNode value)
    {
        var bytes = new MemoryStream();
        using (var writer = XmlWriter.Create(bytes, new XmlWriterSettings
        {
            Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            OmitXmlDeclaration = true,
        }))
        {
            WriteElement(writer, name, value);
        }
        return bytes.ToArray();
    }

    private static JsonNode ReadElement(XmlReader reader, int depth)
    {
        if (depth > MaxDepth) throw new XmlException("Elements are nested too deep.");
        var fields = new JsonObject();
        var isEmpty = reader.IsEmptyElement;
        while (reader.MoveToNextAttribute())
            if (reader.Prefix.Length == 0) fields[Attribute + reader.LocalName] = reader.Value;
        reader.MoveToElement();
        var text = new StringBuilder();
        while (!isEmpty && reader.Read() && reader.NodeType != XmlNodeType.EndElement)
        {
            if (reader.NodeType == XmlNodeType.Element)
                AddField(fields, XmlConvert.DecodeName(reader.LocalName), ReadElement(reader, depth + 1));
            else if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace)
                text.Append(reader.Value);
        }
        if (fields.Count == 0) return JsonValue.Create(text.ToString());
        if (text.Length > 0) fields[Text] = text.ToString();
        return fields;
    }

    private static void AddField(JsonObject fields, string name, JsonNode value)
    {
        if (fields[name] is not { } known) fields[name] = value;
        else if (known is JsonArray list) list.Add(value);
        else
        {
            fields.Remove(name); // A node has one parent.
            fields[name] = new JsonArray(known, value);
        }
    }

    private static void WriteElement(XmlWriter writer, string name, JsonNode? value)
    {
        if (value is JsonArray list)
        {
            foreach (var item in list) WriteElement(writer, name, item);
            return;
        }
        writer.WriteStartElement(XmlConvert.EncodeLocalName(name));
        if (value is JsonObject fields) WriteFields(writer, fields);
        else if (value is not null) writer.WriteString(Clean(TextOf(value)));
        writer.WriteEndElement();
    }

    private static void WriteFields(XmlWriter writer, JsonObject fields)
    {
        foreach (var (name, value) in fields)
            if (name.StartsWith(Attribute, StringComparison.Ordinal) && name.Length > 1 && value is JsonValue)
                writer.WriteAttributeString(XmlConvert.EncodeLocalName(name[1..]), Clean(TextOf(value)));
        foreach (var (name, value) in fields)
        {
            if (name == Text) writer.WriteString(Clean(TextOf(value)));
            else if (!name.StartsWith(Attribute, StringComparison.Ordinal) && name.Length > 0)
                WriteElement(writer, name, value);
        }
    }

    /// <summary>A field that is text, a number or true or false, as text.</summary>
    public static string TextOf(JsonNode? value) => value switch
    {
        null => "",
        JsonValue one when one.GetValueKind() == JsonValueKind.String => one.GetValue<string>(),
        _ => value.ToJsonString(),
    };

    // What clients have put into their metadata need not be what XML can say.
    private static string Clean(string text)
    {
        for (var at = 0; at < text.Length; at++)
            if (!XmlConvert.IsXmlChar(text[at]) && !char.IsSurrogate(text[at]))
                return string.Concat(text.Select(c => XmlConvert.IsXmlChar(c) || char.IsSurrogate(c) ? c : '\uFFFD'));
        return text;
    }

    private static Fault NotXml(string where) =>
        new(ErrorCodes.BadRequest, $"The body is not XML that can be read: {where}.");
}

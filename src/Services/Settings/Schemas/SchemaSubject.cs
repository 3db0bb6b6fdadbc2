using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using Groundwork.Kernel.Documents;
using Groundwork.Kernel.Schemas;
using Groundwork.Services.Settings.Formats;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Schemas;

/// <summary>
/// A setting's text as the value that a schema looks at, with the place of each part. In formats without types every
/// value is text, and passes for what it reads as. The shape is that of the configuration keys that readers make of it.
/// </summary>
/// <param name="IsUntyped">True for properties and XML: <c>8080</c> is text there, and a number all the same.</param>
internal sealed record SchemaSubject(JsonNode? Root, TextDocument Document, bool IsUntyped)
{
    /// <summary>The formats that have a shape.</summary>
    public static ImmutableArray<string> Formats { get; } = ["json", "yaml", "properties", "xml"];

    public TextPosition Locate(ValuePlace place) => Document.Locate(place.ToString());

    /// <summary>Null for a text that is not right in its format, and for a format without a shape.</summary>
    public static SchemaSubject? Of(string format, string content) => format switch
    {
        "json" => Typed(JsonReader.Read(content)),
        "yaml" => Typed(YamlReader.Read(content)),
        "properties" => Properties(content),
        "xml" => Xml(content),
        _ => null,
    };

    private static SchemaSubject? Typed(TextReading reading)
    {
        if (!reading.Succeeded) return null;
        // An empty text of YAML has no document, and is null.
        var document = reading.Documents.FirstOrDefault()
            ?? new TextDocument(null, ImmutableDictionary<string, TextPosition>.Empty);
        return new SchemaSubject(document.Root, document, false);
    }

    private static SchemaSubject? Properties(string content)
    {
        var faults = new List<FieldFault>();
        var reader = new PropertiesReader(content, new ContentFaults(faults, secret: true));
        var (root, positions) = (new Section(), NewPositions());
        while (faults.Count == 0 && reader.Next() is { } entry)
        {
            var path = "";
            var section = root;
            foreach (var name in entry.Path)
            {
                section = section.Below(name);
                path = path.Length == 0 ? name : $"{path}.{name}";
                positions.TryAdd(path, new TextPosition(entry.Line, entry.Column));
                if (IsIndex(name, out var index)) positions.TryAdd(Indexed(path, index), positions[path]);
            }
            section.Value = entry.Value;
        }
        return faults.Count > 0
            ? null
            : new SchemaSubject(root.ToNode(), new TextDocument(null, positions.ToImmutable()), true);
    }

    private static SchemaSubject? Xml(string content)
    {
        try
        {
            var settings = new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                IgnoreComments = true,
                IgnoreProcessingInstructions = true,
                IgnoreWhitespace = true,
            };
            using var reader = XmlReader.Create(new StringReader(content), settings);
            var positions = NewPositions();
            var root = Element(XElement.Load(reader, LoadOptions.SetLineInfo), "", positions);
            return new SchemaSubject(root, new TextDocument(null, positions.ToImmutable()), true);
        }
        catch (XmlException)
        {
            return null; // The check of the format has said so.
        }
    }

    private static JsonNode Element(
        XElement element, string path, ImmutableDictionary<string, TextPosition>.Builder positions)
    {
        Note(element, path, positions);
        var members = new JsonObject();
        foreach (var attribute in element.Attributes().Where(one => !one.IsNamespaceDeclaration))
        {
            Note(attribute, Joined(path, attribute.Name.LocalName), positions);
            members[attribute.Name.LocalName] = attribute.Value;
        }
        foreach (var siblings in element.Elements()
            .GroupBy(child => child.Name.LocalName, StringComparer.OrdinalIgnoreCase))
        {
            var below = Joined(path, siblings.Key);
            var all = siblings.ToList();
            if (all.Count > 1) Note(all[0], below, positions);
            members[siblings.Key] = all.Count == 1
                ? Element(all[0], below, positions)
                : new JsonArray([.. all.Select((one, index) => Element(one, $"{below}[{index}]", positions))]);
        }
        var text = string.Concat(element.Nodes().OfType<XText>().Select(node => node.Value)).Trim();
        return members.Count > 0 || path.Length == 0 ? members : JsonValue.Create(text);
    }

    private static void Note(
        IXmlLineInfo at, string path, ImmutableDictionary<string, TextPosition>.Builder positions) =>
        positions.TryAdd(path, new TextPosition(at.LineNumber, at.LinePosition));

    private static string Joined(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Indexed(string path, int index) =>
        $"{path[..Math.Max(0, path.LastIndexOf('.'))]}[{index.ToString(CultureInfo.InvariantCulture)}]";

    private static bool IsIndex(string name, out int index) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out index) && $"{index}" == name;

    private static ImmutableDictionary<string, TextPosition>.Builder NewPositions()
    {
        var positions = ImmutableDictionary.CreateBuilder<string, TextPosition>(StringComparer.Ordinal);
        positions[""] = new TextPosition(1, 1);
        return positions;
    }

    /// <summary>A part of a key; one with parts below it is an object, or a list when these count from 0.</summary>
    private sealed class Section
    {
        private readonly Dictionary<string, Section> below = new(StringComparer.Ordinal);

        public string? Value { get; set; }

        public Section Below(string name)
        {
            if (!below.TryGetValue(name, out var section)) below[name] = section = new Section();
            return section;
        }

        public JsonNode ToNode(int depth = 0)
        {
            if (below.Count == 0) return depth == 0 ? new JsonObject() : JsonValue.Create(Value ?? "");
            if (Enumerable.Range(0, below.Count).All(index => below.ContainsKey($"{index}")))
                return new JsonArray(
                    [.. Enumerable.Range(0, below.Count).Select(index => below[$"{index}"].ToNode(depth + 1))]);
            var members = new JsonObject();
            foreach (var (name, section) in below) members[name] = section.ToNode(depth + 1);
            return members;
        }
    }
}

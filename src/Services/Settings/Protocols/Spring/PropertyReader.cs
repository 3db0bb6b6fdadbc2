using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Documents;
using Groundwork.Services.Settings.Texts;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>
/// Reads files as Spring does: nested keys joined by dots, items as <c>[0]</c>, null as an empty text. YAML is read as
/// version 1.2, in which <c>yes</c> and <c>on</c> are text.
/// </summary>
internal static class PropertyReader
{
    /// <summary>Extensions of files with properties, the one that counts first in front.</summary>
    public static readonly string[] Extensions = ["properties", "yml", "yaml", "json"];

    /// <summary>The format of a file by its extension; null for one without properties.</summary>
    public static string? FormatOf(string extension) => extension switch
    {
        "yml" or "yaml" => "yaml",
        "properties" or "json" => extension,
        _ => null,
    };

    /// <summary>
    /// The documents of a file, the last first, because a later one counts before an earlier; or what is wrong with it.
    /// </summary>
    /// <param name="profiles">A document that names profiles it is for is left out without them.</param>
    public static Outcome<List<PropertySource>> Read(
        string name, string format, string text, IReadOnlyList<string> profiles)
    {
        try
        {
            var documents = format == "properties" ? [OfProperties(text)] : OfTrees(format, text);
            var sources = new List<PropertySource>();
            for (var at = documents.Count - 1; at >= 0; at--)
            {
                if (!ProfileCondition.Holds(documents[at], profiles)) continue;
                sources.Add(new PropertySource(
                    documents.Count == 1 ? name : $"{name} (document #{at})", documents[at]));
            }
            return sources;
        }
        catch (FormatException fault)
        {
            return new Fault(ErrorCodes.SettingSyntax, $"{name} cannot be read: {fault.Message}");
        }
    }

    private static List<KeyValuePair<string, PropertyValue>> OfProperties(string text)
    {
        var found = new Dictionary<string, PropertyValue>(StringComparer.Ordinal);
        var (line, scanned) = (1, 0);
        foreach (var entry in PropertiesLine.ReadAll(text))
        {
            line += text.AsSpan(scanned, entry.Start - scanned).Count('\n');
            scanned = entry.Start;
            Add(found, entry.Name.Replace(SettingSyntax.KeptDot, '.'), new PropertyValue(entry.Value, true, line, 1));
        }
        return [.. found];
    }

    private static List<List<KeyValuePair<string, PropertyValue>>> OfTrees(string format, string text)
    {
        var reading = format == "json" ? JsonReader.Read(text) : YamlReader.Read(text);
        if (reading.Faults is [var fault, ..])
            throw new FormatException($"line {fault.Line}, column {fault.Column}: {fault.Message}");
        return [.. reading.Documents.Select(Flatten)];
    }

    private static List<KeyValuePair<string, PropertyValue>> Flatten(TextDocument document)
    {
        var found = new Dictionary<string, PropertyValue>(StringComparer.Ordinal);
        Flatten(found, document, document.Root is JsonObject ? "" : "document", "", document.Root);
        return [.. found];
    }

    private static void Flatten(
        Dictionary<string, PropertyValue> found, TextDocument document, string key, string path, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } map:
                foreach (var (name, below) in map)
                {
                    var bracketed = name.StartsWith('[');
                    var child = key.Length == 0 ? name : bracketed ? key + name : $"{key}.{name}";
                    Flatten(found, document, child, path.Length == 0 ? name : $"{path}.{name}", below);
                }
                break;
            case JsonArray { Count: > 0 } list:
                for (var at = 0; at < list.Count; at++)
                    Flatten(found, document, $"{key}[{at}]", $"{path}[{at}]", list[at]);
                break;
            default:
                if (key.Length == 0) return; // An empty document.
                var (line, column) = document.Locate(path);
                var isText = node is not JsonValue value
                    || value.GetValueKind() is JsonValueKind.String or JsonValueKind.Null;
                var text = node is JsonValue scalar
                    ? isText ? scalar.GetValue<string>() : scalar.ToJsonString()
                    : "";
                Add(found, key, new PropertyValue(text, isText, line, column));
                break;
        }
    }

    private static void Add(Dictionary<string, PropertyValue> found, string key, PropertyValue value)
    {
        found[key] = value;
        if (found.Count > PropertySource.MaxProperties)
            throw new FormatException($"it has more than {PropertySource.MaxProperties} properties");
    }
}

/// <summary>Which profiles a document is for, by what it says of itself.</summary>
internal static class ProfileCondition
{
    private static readonly string[] Keys =
        ["spring.config.activate.on-profile", "spring.config.activate.onProfile", "spring.profiles"];

    /// <summary>True for a document that names none.</summary>
    /// <exception cref="FormatException">It is an expression, which is not read here.</exception>
    public static bool Holds(List<KeyValuePair<string, PropertyValue>> document, IReadOnlyList<string> profiles)
    {
        var wanted = document.Where(one => Keys.Any(key => IsOf(key, one.Key)))
            .SelectMany(one => one.Value.Text.Split(',', StringSplitOptions.TrimEntries)).ToList();
        if (wanted.Count == 0) return true;
        if (wanted.Find(one => one.AsSpan().ContainsAny("&|()")) is { } expression)
            throw new FormatException($"'{expression}' is an expression of profiles; list names, or !name");
        return wanted.Exists(one => one.StartsWith('!') ? !profiles.Contains(one[1..]) : profiles.Contains(one));
    }

    private static bool IsOf(string key, string property) => property == key
        || (property.StartsWith(key, StringComparison.Ordinal) && property[key.Length] == '[');
}

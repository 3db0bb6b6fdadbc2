using System.Collections.Immutable;

namespace Groundwork.Services.Settings.Formats;

/// <summary>
/// A format that a setting may declare: what it is called, how it is served, and how its text is checked.
/// </summary>
/// <param name="Name">As written in <c>spec.format</c>, and the file extension it is inferred from.</param>
/// <param name="Title">As people write it.</param>
/// <param name="Check">Adds a fault for everything wrong; null where any text is right.</param>
internal sealed record ContentFormat(string Name, string Title, string MediaType, Action<string, ContentFaults>? Check)
{
    public const string TextName = "text";

    public static ContentFormat Text { get; } = new(TextName, "text", "text/plain; charset=utf-8", null);

    public static ImmutableArray<ContentFormat> All { get; } =
    [
        Text,
        new("json", "JSON", "application/json; charset=utf-8", JsonFormat.Check),
        new("yaml", "YAML", "application/yaml; charset=utf-8", YamlFormat.Check),
        new("xml", "XML", "application/xml; charset=utf-8", XmlFormat.Check),
        new("properties", "properties", "text/x-java-properties; charset=utf-8", PropertiesFormat.Check),

        new(FlagsFormat.Name, "flags", "application/yaml; charset=utf-8", FlagsFormat.Check),

        // No reader of ours interprets TOML, so it is kept as text: a check by half a parser would promise too much.
        new("toml", "TOML", "application/toml; charset=utf-8", null),
    ];

    public static string Names { get; } = string.Join(", ", All.Select(format => format.Name));

    public static ContentFormat? Find(string name) => All.FirstOrDefault(format => format.Name == name);

    /// <summary>The format that a file of this name would have; text when the extension says nothing.</summary>
    public static ContentFormat Infer(string dataId)
    {
        var extension = dataId[(dataId.LastIndexOf('.') + 1)..].ToLowerInvariant();
        return Find(extension == "yml" ? "yaml" : extension) ?? Text;
    }
}

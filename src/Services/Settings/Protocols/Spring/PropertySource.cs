namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>A value of a property.</summary>
/// <param name="Text">The text, or the JSON of what is none: a number or a boolean.</param>
/// <param name="Line">Where it stands, from 1.</param>
internal readonly record struct PropertyValue(string Text, bool IsText, int Line, int Column);

/// <summary>One document of a file in flat properties, in order of the file.</summary>
/// <param name="Name">Where it comes from, for people.</param>
internal sealed record PropertySource(string Name, IReadOnlyList<KeyValuePair<string, PropertyValue>> Properties)
{
    /// <summary>Properties of one file; the SDK takes no more of one text either.</summary>
    public const int MaxProperties = 50_000;
}

/// <summary>What a request is answered with.</summary>
/// <param name="Version">Alike as long as nothing of it has changed; null when there is nothing.</param>
/// <param name="Sources">The most specific first: the first that has a property wins.</param>
internal sealed record SpringEnvironment(
    SpringQuery Query, string? Label, string? Version, IReadOnlyList<PropertySource> Sources);

namespace Groundwork.Services.Registry.Storing;

/// <summary>The names of watchers in one text: what a node says of its own to the others.</summary>
internal static class WatcherNames
{
    /// <summary>Names that are told: enough to know whom to ask.</summary>
    public const int Most = 100;

    private const char Separator = '\n'; // In no name, neither of an instance nor of a principal.

    public static string? Write(IEnumerable<string> names)
    {
        var some = names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(Most);
        var text = string.Join(Separator, some);
        return text.Length == 0 ? null : text;
    }

    public static string[] Read(string? text) => text is null ? [] : text.Split(Separator);
}

/// <summary>What a node says of its watchers.</summary>
/// <param name="Position">Up to where all of them were sent everything.</param>
/// <param name="Behind">Names of those that were not.</param>
internal readonly record struct SeenByNode(long Position, string[] Behind);

using Groundwork.Services.Settings.Releases;

namespace Groundwork.Services.Settings;

/// <summary>
/// What one reader that follows settings has of them, so that it is told of all that it has no longer: what was
/// deleted, and what it may not see any more. One loop's alone.
/// </summary>
internal sealed class HeldSettings
{
    // By name: a reader follows one namespace. The names are the snapshot's own strings.
    private readonly Dictionary<string, (long Revision, string? Release, bool Given)> held =
        new(StringComparer.Ordinal);

    /// <summary>The order of groups that the reader was told of last.</summary>
    public IReadOnlyList<string>? Groups { get; set; }

    /// <summary>What the order was made for: another object may mean another order.</summary>
    public SelectedSettings? Selected { get; set; }

    /// <summary>Names of everything the reader was told of.</summary>
    public IReadOnlyCollection<string> Names => held.Keys;

    /// <summary>True when the reader has this version, with its content or without.</summary>
    public bool Knows(SettingVersion version) =>
        held.TryGetValue(version.Setting.Key.Name, out var known)
        && known.Revision == version.Revision && known.Release == version.Release;

    /// <summary>True when the reader has a content of it.</summary>
    public bool Has(string name) => held.TryGetValue(name, out var known) && known.Given;

    /// <param name="given">With its content; false for a secret that is withheld.</param>
    public void Note(SettingVersion version, bool given) =>
        held[version.Setting.Key.Name] = (version.Revision, version.Release, given);

    public void Drop(string name) => held.Remove(name);
}

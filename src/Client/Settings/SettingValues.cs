using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Client.Receipts;

namespace Groundwork.Client.Settings;

/// <summary>All keys of one publication: immutable, so that whoever holds it never sees a mix of two.</summary>
/// <param name="StoreId">The store that the revision is of; empty before the first publication.</param>
/// <param name="Revision">The platform's revision; 0 before the first.</param>
/// <param name="Values">By key, case-insensitive.</param>
/// <param name="Versions">Which text of each setting it is made of.</param>
internal sealed record SettingValues(
    string StoreId, long Revision, FrozenDictionary<string, SettingValue> Values,
    ImmutableDictionary<string, SettingVersion> Versions)
{
    public static SettingValues None { get; } =
        new(
            "", 0, FrozenDictionary<string, SettingValue>.Empty,
            ImmutableDictionary.Create<string, SettingVersion>(StringComparer.Ordinal));

    /// <summary>True when a reader could not tell the two apart.</summary>
    public bool SameValuesAs(SettingValues other)
    {
        if (Values.Count != other.Values.Count) return false;
        foreach (var (key, value) in Values)
            if (!other.Values.TryGetValue(key, out var theirs) || value.Text != theirs.Text) return false;
        return true;
    }
}

/// <summary>One key's value, whose setting is known so that it can be said what is used of it.</summary>
internal sealed class SettingValue(string key, string? text, SettingOrigin origin)
{
    // Written once, by whoever reads the value first; that two might is harmless.
    private bool isUsed;

    public string? Text => text;

    public SettingOrigin Origin => origin;

    /// <summary>Somebody has read it. One flag to look at, because every read of the configuration comes
    /// here.</summary>
    public void Use()
    {
        if (isUsed) return;
        isUsed = true;
        origin.Use(key);
    }
}

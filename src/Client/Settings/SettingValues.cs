using System.Collections.Frozen;

namespace Groundwork.Client.Settings;

/// <summary>All keys of one publication: immutable, so that whoever holds it never sees a mix of two.</summary>
/// <param name="StoreId">The store that the revision is of; empty before the first publication.</param>
/// <param name="Revision">The platform's revision; 0 before the first.</param>
/// <param name="Values">By key, case-insensitive.</param>
internal sealed record SettingValues(string StoreId, long Revision, FrozenDictionary<string, string?> Values)
{
    public static SettingValues None { get; } =
        new("", 0, FrozenDictionary<string, string?>.Empty);

    /// <summary>True when a reader could not tell the two apart.</summary>
    public bool SameValuesAs(SettingValues other)
    {
        if (Values.Count != other.Values.Count) return false;
        foreach (var (key, value) in Values)
            if (!other.Values.TryGetValue(key, out var theirs) || value != theirs) return false;
        return true;
    }
}

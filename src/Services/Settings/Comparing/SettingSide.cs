using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Texts;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Comparing;

/// <summary>A setting in one namespace: there or not, its text, and its keys.</summary>
/// <param name="Resource">Null when it is not there.</param>
internal sealed record SettingSide(ResourceKey Key, Resource? Resource, SettingSpec? Spec)
{
    public long Revision => Resource?.Revision ?? 0;

    public bool IsSecret => Spec is { Secret: true };

    /// <summary>
    /// The keys, as the pair of texts allows: a text that has none, or faces one of another format, is one value under
    /// the empty key.
    /// </summary>
    public IReadOnlyDictionary<string, string?> Values(bool whole)
    {
        if (Spec is null) return KeyedText.ToDictionary(null);
        return whole
            ? new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase) { [""] = Spec.Content }
            : KeyedText.ToDictionary(KeyedText.Read(Spec.Format, Spec.Content));
    }

    /// <summary>True when the two can only be compared as wholes.</summary>
    public static bool AreWhole(SettingSpec? from, SettingSpec? to)
    {
        if (from is not null && to is not null && from.Format != to.Format) return true;
        return new[] { from, to }.Any(spec => spec is not null && KeyedText.Read(spec.Format, spec.Content) is null);
    }
}

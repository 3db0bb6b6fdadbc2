using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Groups;

namespace Groundwork.Services.Settings;

/// <summary>
/// The settings of a snapshot by group, and what readers select of them. Derived once for each change of a setting or a
/// group and not for each reader: after one publication ten thousand of them ask.
/// </summary>
internal sealed class SettingIndex
{
    private Derived? last;

    public SelectedSettings Select(Snapshot snapshot, SettingSelection selection)
    {
        var settings = snapshot.Of(SettingKind.Name);
        var groups = snapshot.Of(SettingGroupKind.Name);
        var known = Volatile.Read(ref last);
        if (known is null || !ReferenceEquals(known.Settings, settings) || !ReferenceEquals(known.Groups, groups))
        {
            known = new Derived(settings, groups);
            Volatile.Write(ref last, known);
        }
        return known.Select(snapshot, selection);
    }

    private sealed class Derived(
        ImmutableSortedDictionary<ResourceKey, Resource> settings,
        ImmutableSortedDictionary<ResourceKey, Resource> groups)
    {
        /// <summary>Selections kept; readers make them up, and services of one kind make the same.</summary>
        private const int MaxSelections = 10_000;

        private readonly ConcurrentDictionary<string, SelectedSettings> selections = new(StringComparer.Ordinal);

        private readonly Lazy<FrozenDictionary<(string Namespace, string Group), ImmutableArray<Resource>>> byGroup =
            new(() => settings.Values
                .GroupBy(one => (one.Key.Namespace, SettingKind.Split(one.Key.Name)?.Group ?? ""))
                .ToFrozenDictionary(group => group.Key, group => group.ToImmutableArray()));

        public ImmutableSortedDictionary<ResourceKey, Resource> Settings => settings;

        public ImmutableSortedDictionary<ResourceKey, Resource> Groups => groups;

        public SelectedSettings Select(Snapshot snapshot, SettingSelection selection)
        {
            if (selections.TryGetValue(selection.Key, out var known)) return known;
            var selected = selection.At(snapshot);
            // In order of group and dataId, as readers are given them.
            selected = selected with
            {
                Settings =
                [
                    .. selected.Order.Order(StringComparer.Ordinal)
                        .SelectMany(group => byGroup.Value.GetValueOrDefault((selection.Namespace, group), [])),
                ],
            };
            if (selections.Count < MaxSelections) selections.TryAdd(selection.Key, selected);
            return selected;
        }
    }
}

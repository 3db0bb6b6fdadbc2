using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Kernel.Resources;

namespace Groundwork.Services.Settings.Protocols.Apollo;

/// <summary>
/// The settings of a snapshot by name without regard to case. Derived once for each change of settings, and not for
/// each reader.
/// </summary>
internal sealed class ApolloIndex
{
    /// <summary>Formats that a namespace names by its ending; one without is properties.</summary>
    public static readonly string[] Endings = [".json", ".yaml", ".yml", ".xml", ".txt"];

    private Derived? last;

    /// <summary>The settings of that name: none, one, or several that differ in case alone.</summary>
    /// <param name="dataId">Without <c>.properties</c>.</param>
    public ImmutableArray<ResourceKey> Find(Snapshot snapshot, string @namespace, string group, string dataId)
    {
        var settings = snapshot.Of(SettingKind.Name);
        var known = Volatile.Read(ref last);
        if (known is null || !ReferenceEquals(known.Settings, settings))
        {
            known = Derived.Of(settings);
            Volatile.Write(ref last, known);
        }
        var name = $"{@namespace}/{group}/{dataId}";
        foreach (var candidate in Candidates(name))
            if (known.ByName.TryGetValue(candidate, out var keys)) return keys;
        return [];
    }

    // Clients that ask for a namespace of JSON leave its ending out when they read it.
    private static IEnumerable<string> Candidates(string name)
    {
        var hasEnding = Endings.Any(ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase));
        return hasEnding ? [name] : [name + ApolloNames.Properties, name, .. Endings.Select(one => name + one)];
    }

    private sealed record Derived(
        ImmutableSortedDictionary<ResourceKey, Resource> Settings,
        FrozenDictionary<string, ImmutableArray<ResourceKey>> ByName)
    {
        public static Derived Of(ImmutableSortedDictionary<ResourceKey, Resource> settings) => new(
            settings,
            settings.Keys.GroupBy(key => $"{key.Namespace}/{key.Name}", StringComparer.OrdinalIgnoreCase)
                .ToFrozenDictionary(
                    group => group.Key, group => group.ToImmutableArray(), StringComparer.OrdinalIgnoreCase));
    }
}

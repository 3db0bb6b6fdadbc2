using System.Collections.Concurrent;
using Groundwork.Kernel.Resources;

namespace Groundwork.Services.Settings.Readers;

/// <summary>
/// The changes that took settings lately: readers are told of them with some later snapshot, and all mean the same
/// publication.
/// </summary>
internal sealed class RemovedSettings : IDisposable
{
    /// <summary>Removals that are remembered; an older one is known by the snapshot that told of it.</summary>
    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<ResourceKey, long> removed = new();
    private readonly IDisposable subscription;

    public RemovedSettings(ISnapshotSource snapshots) => subscription = snapshots.Subscribe(change =>
    {
        foreach (var one in change.Changes)
        {
            if (one.Key.Kind != SettingKind.Name) continue;
            if (one.After is not null)
            {
                removed.TryRemove(one.Key, out _);
                continue;
            }
            if (removed.Count >= MaxRemembered) removed.Clear();
            removed[one.Key] = one.Revision;
        }
    });

    /// <summary>The change that took the setting; null when it is there, or that was long ago.</summary>
    public long? RevisionOf(ResourceKey setting) => removed.TryGetValue(setting, out var revision) ? revision : null;

    public void Dispose() => subscription.Dispose();
}

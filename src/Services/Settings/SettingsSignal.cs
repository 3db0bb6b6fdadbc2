using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Groups;
using Groundwork.Services.Settings.Releases;

namespace Groundwork.Services.Settings;

/// <summary>
/// Wakes the watchers of settings when one was published, or when rights have changed; other kinds wake nobody.
/// </summary>
internal sealed class SettingsSignal : IDisposable
{
    private static readonly string[] Waking =
    [
        SettingKind.Name, GrayReleaseKind.Name, SettingGroupKind.Name,
        SecurityKinds.Role.Name, SecurityKinds.Operator.Name, SecurityKinds.AccessKey.Name,
    ];

    private readonly Lock gate = new(); // Innermost lock.
    private readonly HashSet<StreamWait> watchers = [];
    private readonly IDisposable subscription;

    public SettingsSignal(ISnapshotSource snapshots) => subscription = snapshots.Subscribe(change =>
    {
        if (!Waking.Any(change.Touches)) return;
        StreamWait[] woken;
        lock (gate) woken = [.. watchers];
        Fanout<StreamWait, object?>.Start(woken, null, static (watcher, _) => watcher.WakeHere());
    });

    /// <summary>
    /// Wakes the watcher with every publication from now on. To be done before it looks at a snapshot.
    /// </summary>
    public void Join(StreamWait watcher)
    {
        lock (gate) watchers.Add(watcher);
    }

    public void Leave(StreamWait watcher)
    {
        lock (gate) watchers.Remove(watcher);
    }

    public void Dispose() => subscription.Dispose();
}

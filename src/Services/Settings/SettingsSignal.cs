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

    private readonly IDisposable subscription;
    private TaskCompletionSource next = New();

    public SettingsSignal(ISnapshotSource snapshots) => subscription = snapshots.Subscribe(change =>
    {
        if (Waking.Any(change.Touches)) Interlocked.Exchange(ref next, New()).TrySetResult();
    });

    /// <summary>Completes with the next publication. Take it before looking at the snapshot.</summary>
    public Task Next => Volatile.Read(ref next).Task;

    public void Dispose() => subscription.Dispose();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

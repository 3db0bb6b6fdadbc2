using Groundwork.Kernel.Resources;

namespace Groundwork.Services.Settings;

/// <summary>Wakes the watchers of settings when one was published; changes of other kinds wake nobody.</summary>
internal sealed class SettingsSignal : IDisposable
{
    private readonly IDisposable subscription;
    private TaskCompletionSource next = New();

    public SettingsSignal(ISnapshotSource snapshots) => subscription = snapshots.Subscribe(change =>
    {
        if (change.Touches(SettingKind.Name)) Interlocked.Exchange(ref next, New()).TrySetResult();
    });

    /// <summary>Completes with the next publication. Take it before looking at the snapshot.</summary>
    public Task Next => Volatile.Read(ref next).Task;

    public void Dispose() => subscription.Dispose();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

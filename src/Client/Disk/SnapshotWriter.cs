using System.Threading.Channels;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Disk;

/// <summary>
/// Writes the snapshot after a change, at most once per interval, and once more at the end. One task.
/// </summary>
internal sealed partial class SnapshotWriter(
    SnapshotStore store, Func<DiskSnapshot> capture, TimeProvider time, ILogger log)
{
    /// <summary>Changes that come together are one write.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>A full disk is tried again, for it may be a while until something changes.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    // One slot: a change that is not yet written stands for all that follow it.
    private readonly Channel<bool> changes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private bool failing;

    /// <summary>There is something to write. Never blocks.</summary>
    public void Touch() => changes.Writer.TryWrite(true);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await changes.Reader.WaitToReadAsync(cancellationToken))
            {
                await Task.Delay(failing ? RetryInterval : Interval, time, cancellationToken);
                changes.Reader.TryRead(out _);
                Write();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (changes.Reader.TryRead(out _)) Write();
        }
    }

    private void Write()
    {
        var fault = store.Write(capture());
        if (fault is not null && !failing) LogFailed(fault);
        failing = fault is not null;
        if (failing) Touch();
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Cannot write the disk snapshot, so a start without the platform will know nothing newer. {Fault}")]
    private partial void LogFailed(Fault fault);
}

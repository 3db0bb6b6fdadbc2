using Groundwork.Kernel.Storage;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.KeyValue;

/// <summary>
/// Keeps history bounded: some of it for a time, never more than so many revisions; and takes away the rows that this,
/// or a client's compaction, left behind.
/// </summary>
internal sealed partial class Compaction(KeyValues keys, TimeProvider time, ILogger logger)
{
    /// <summary>Between two rounds.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    // When the table was at which revision, the oldest first. Of this process: after a start, history is kept longer.
    private readonly Queue<(long At, long Revision)> known = new();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(Interval, time, cancellationToken);
            try
            {
                await RoundAsync(cancellationToken);
            }
            catch (StorageException failure)
            {
                LogAway(failure.Fault.Error.Code);
            }
        }
    }

    internal async Task RoundAsync(CancellationToken cancellationToken)
    {
        var head = await keys.ReadAsync(reading => reading.Head, cancellationToken);
        if (FloorOf(head) is var floor && floor > head.Compacted)
            await keys.WriteSweepAsync(
                (session, transaction) =>
                {
                    RowStore.Compact(session, floor, transaction.Now);
                    return true;
                },
                cancellationToken);
        if (head.Compacted <= head.Purged) return;
        while (await keys.WriteSweepAsync(
            (session, transaction) => RowStore.Purge(
                session, transaction.Now - (long)KeyValueLimits.PurgeDelay.TotalMilliseconds,
                KeyValueLimits.MaxRowsPerWrite),
            cancellationToken))
            cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>The revision that history may begin at.</summary>
    private long FloorOf(KeyHead head)
    {
        known.Enqueue((time.GetTimestamp(), head.Revision));
        var old = 0L;
        while (known.TryPeek(out var first) && time.GetElapsedTime(first.At) >= KeyValueLimits.KeptHistory)
            old = known.Dequeue().Revision;
        return Math.Max(
            Math.Min(old, head.Revision - KeyValueLimits.MinKeptRevisions),
            head.Revision - KeyValueLimits.MaxKeptRevisions);
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "History of keys is not compacted: the store refuses with {Code}")]
    private partial void LogAway(string code);
}

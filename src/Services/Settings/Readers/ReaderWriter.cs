using System.Collections.Concurrent;
using System.Threading.Channels;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings.Readers;

/// <summary>
/// The one loop that writes what is known of readers: what was sent, gathered and merged, and what readers say, which
/// is acknowledged when it is on disk.
/// </summary>
/// <param name="news">Hears of the settings that something was stored of.</param>
/// <param name="inForce">Revisions of a setting that are somebody's now: its own and those of its releases.</param>
internal sealed partial class ReaderWriter(
    ReaderStore store,
    ReceiptNews news,
    Func<string, string, CancellationToken, ValueTask<IReadOnlyList<long>>> inForce,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>Reports that may wait; at 2,000 rows a transaction it is some seconds of work.</summary>
    private const int MaxWaitingReports = 10_000;

    /// <summary>What is remembered of deliveries and readers while the store is away; more is let go.</summary>
    private const int MaxPending = 200_000;

    /// <summary>What comes within it is written together.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(20);

    /// <summary>After a failure of the store.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly ConcurrentQueue<Waiting> reports = new();
    private readonly Lock gate = new(); // Guards the two dictionaries below.
    private Dictionary<ReaderKey, StoredReader> readers = [];
    private Dictionary<ReceiptKey, ReceiptState> sent = [];

    // The newest revision of each setting after which its old receipts were cleared away; the loop's alone.
    private readonly Dictionary<(string Namespace, string Setting), long> cleared = [];

    public void NoteReader(StoredReader reader)
    {
        lock (gate) readers[reader.Key] = reader;
        Wake();
    }

    public void NoteSent(ReceiptKey key, ReceiptState state)
    {
        lock (gate) sent[key] = state;
        Wake();
    }

    /// <summary>Stores a report; null when it is on disk, else why not.</summary>
    public Task<Fault?> ReportAsync(ReaderReport report) => WaitAsync(report);

    /// <summary>Completes when what was noted before the call is on disk.</summary>
    public Task<Fault?> FlushAsync() => WaitAsync(null);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await wake.Reader.ReadAsync(cancellationToken);
                await Task.Delay(Gathering, time, cancellationToken);
                if (!await RoundAsync(cancellationToken)) await Task.Delay(RetryInterval, time, cancellationToken);
            }
        }
        finally
        {
            while (reports.TryDequeue(out var waiting)) waiting.Done.TrySetCanceled(CancellationToken.None);
        }
    }

    /// <summary>Writes everything that waits.</summary>
    /// <returns>False when the store is away.</returns>
    internal async Task<bool> RoundAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (batch, waiting) = Take();
            if (batch.Readers.Count + batch.Sent.Count + waiting.Count == 0) return true;
            try
            {
                batch = batch with { Versions = await NewestAsync(batch, cancellationToken) };
                await store.WriteAsync(batch, cancellationToken);
                foreach (var one in waiting) one.Done.TrySetResult(null);
                news.Tell(SettingsOf(batch));
                foreach (var (setting, _) in batch.Versions) cleared[setting] = NewestOf(batch, setting);
            }
            catch (StorageException away)
            {
                // Who reports is told, and sends it again; what was delivered nobody would tell a second time.
                foreach (var one in waiting) one.Done.TrySetResult(away.Fault);
                GiveBack(batch);
                LogAway(away.Fault.Detail);
                return false;
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                foreach (var one in waiting) one.Done.TrySetException(failure);
                LogLost(failure, batch.Readers.Count + batch.Sent.Count);
            }
        }
    }

    private Task<Fault?> WaitAsync(ReaderReport? report)
    {
        if (reports.Count >= MaxWaitingReports)
        {
            return Task.FromResult<Fault?>(new Fault(ErrorCodes.WriteQueueFull, "Too many receipts wait.")
            {
                RetryAfter = RetryInterval,
            });
        }
        var waiting = new Waiting(report, new(TaskCreationOptions.RunContinuationsAsynchronously));
        reports.Enqueue(waiting);
        Wake();
        return waiting.Done.Task;
    }

    private void Wake() => wake.Writer.TryWrite(true);

    private (ReaderWrites Batch, List<Waiting> Waiting) Take()
    {
        var waiting = new List<Waiting>();
        var rows = 0;
        while (rows < ReaderStore.MaxRowsPerWrite && reports.TryDequeue(out var one))
        {
            waiting.Add(one);
            rows += 1 + (one.Report is { } report
                ? report.Receipts.Count + report.Reads.Count + report.Exposures.Count : 0);
        }
        lock (gate)
        {
            // Whoever waits has been promised all that was noted before; that is bounded by what one round gathers.
            var batch = new ReaderWrites(
                Taken(ref readers).Values.ToList(),
                [.. Taken(ref sent).Select(entry => (entry.Key, entry.Value))],
                [.. waiting.Select(one => one.Report).OfType<ReaderReport>()],
                new Dictionary<(string, string), IReadOnlyList<long>>());
            return (batch, waiting);
        }
    }

    private static Dictionary<TKey, TValue> Taken<TKey, TValue>(ref Dictionary<TKey, TValue> from)
        where TKey : notnull
    {
        var taken = from;
        from = [];
        return taken;
    }

    /// <summary>The settings of which a newer revision was sent than ever before, with what must be kept.</summary>
    private async Task<Dictionary<(string Namespace, string Setting), IReadOnlyList<long>>> NewestAsync(
        ReaderWrites batch, CancellationToken cancellationToken)
    {
        var versions = new Dictionary<(string Namespace, string Setting), IReadOnlyList<long>>();
        foreach (var (key, _) in batch.Sent)
        {
            var setting = (key.Reader.Namespace, key.Setting);
            if (versions.ContainsKey(setting) || cleared.GetValueOrDefault(setting) >= key.Revision) continue;
            versions[setting] = await inForce(key.Reader.Namespace, key.Setting, cancellationToken);
        }
        return versions;
    }

    private static HashSet<ResourceKey> SettingsOf(ReaderWrites batch) =>
        [
            .. batch.Sent.Select(one => one.Key)
                .Concat(batch.Reports.SelectMany(report => report.Receipts).Select(receipt => receipt.Key))
                .Select(key => new ResourceKey(SettingKind.Name, key.Reader.Namespace, key.Setting)),
        ];

    private static long NewestOf(ReaderWrites batch, (string Namespace, string Setting) setting) => batch.Sent
        .Where(one => (one.Key.Reader.Namespace, one.Key.Setting) == setting).Max(one => one.Key.Revision);

    private void GiveBack(ReaderWrites batch)
    {
        lock (gate)
        {
            if (readers.Count + sent.Count + batch.Readers.Count + batch.Sent.Count > MaxPending) return;
            foreach (var reader in batch.Readers) readers.TryAdd(reader.Key, reader);
            foreach (var (key, state) in batch.Sent) sent.TryAdd(key, state);
        }
        Wake();
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "What readers of settings say is not stored ({Detail}); it is tried again")]
    private partial void LogAway(string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} notes of readers of settings were lost")]
    private partial void LogLost(Exception failure, int count);

    private sealed record Waiting(ReaderReport? Report, TaskCompletionSource<Fault?> Done);
}

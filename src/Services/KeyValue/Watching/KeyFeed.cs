using System.Threading.Channels;
using Groundwork.Kernel.Storage;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.KeyValue.Watching;

/// <summary>
/// Finds out what changed, here or on another node, and wakes who waits for it. It says only that something happened in
/// a range: who wakes reads the table, so that nothing can be lost or come twice on the way.
/// </summary>
internal sealed partial class KeyFeed(IStorage storage, TimeProvider time, ILogger logger)
{
    /// <summary>Between two looks where another node may write and its notification may be lost.</summary>
    private static readonly TimeSpan SharedPoll = TimeSpan.FromSeconds(1);

    /// <summary>Between two looks where only this node writes: it is told of each write.</summary>
    private static readonly TimeSpan OwnPoll = TimeSpan.FromMinutes(1);

    /// <summary>Changed keys of one look.</summary>
    private const int MaxKeysPerLook = 5_000;

    private readonly Channel<bool> hurry = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Lock gate = new(); // Of the three below; nothing waits under it.
    private readonly Dictionary<string, List<KeyWaiter>> byKey = new(StringComparer.Ordinal);
    private readonly List<KeyWaiter> byRange = [];
    private int waiters;

    private KeyHead seen; // The loop's.

    /// <summary>Those that wait now.</summary>
    public int Waiters
    {
        get
        {
            lock (gate) return waiters;
        }
    }

    /// <summary>Has the loop look now.</summary>
    public void Hurry() => hurry.Writer.TryWrite(true);

    /// <summary>
    /// From here on changes in the range wake the waiter, also those that happen before it first waits. Null when as
    /// many wait as may.
    /// </summary>
    /// <param name="sessions">Wakes for what happens to sessions instead.</param>
    public KeyWaiter? Enter(KeyRange range, bool sessions = false)
    {
        var waiter = new KeyWaiter(range, sessions, Leave);
        lock (gate)
        {
            if (waiters >= KeyValueLimits.MaxWatches) return null;
            waiters++;
            if (!range.IsSingle || sessions) byRange.Add(waiter);
            else if (byKey.TryGetValue(waiter.Name, out var others)) others.Add(waiter);
            else byKey.Add(waiter.Name, [waiter]);
        }
        return waiter;
    }

    /// <summary>Begins at what is there now.</summary>
    public async Task StartAsync(CancellationToken cancellationToken) =>
        seen = await storage.ReadAsync(RowStore.ReadHead, cancellationToken);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var isShared = !storage.Engine.StartsWith("sqlite", StringComparison.OrdinalIgnoreCase);
        storage.CommittedElsewhere += Hurry;
        try
        {
            while (true)
            {
                await WaitAsync(isShared ? SharedPoll : OwnPoll, cancellationToken);
                await LookAsync(cancellationToken);
            }
        }
        finally
        {
            storage.CommittedElsewhere -= Hurry;
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await RoundAsync(cancellationToken))
                cancellationToken.ThrowIfCancellationRequested();
        }
        catch (StorageException failure)
        {
            LogAway(failure.Fault.Error.Code);
            // Whoever waits is woken by the next look, which begins where the last good one ended.
            await Task.Delay(SharedPoll, time, cancellationToken);
            Hurry();
        }
    }

    /// <summary>Looks once.</summary>
    /// <returns>True when there may be more.</returns>
    internal async Task<bool> RoundAsync(CancellationToken cancellationToken)
    {
        var (head, changed) = await storage.ReadAsync(
            session =>
            {
                var now = RowStore.ReadHead(session);
                return (now, now.Revision > seen.Revision
                    ? RowStore.ChangedKeys(session, seen.Revision, MaxKeysPerLook)
                    : []);
            },
            cancellationToken);
        // What has been purged unseen may have been anywhere.
        if (head.Purged > seen.Purged && head.Purged > seen.Revision) WakeAll();
        foreach (var (_, key) in changed) Wake(key);
        if (head.Sessions > seen.Sessions) WakeSessions();
        var more = changed.Count == MaxKeysPerLook;
        // A revision may go on where the look ended, so that it is looked at again from its start.
        seen = more ? head with { Revision = Math.Max(seen.Revision, changed[^1].Revision - 1) } : head;
        if (!more || changed[0].Revision != changed[^1].Revision) return more;
        // One revision alone has more keys than a look takes.
        WakeAll();
        seen = head with { Revision = changed[^1].Revision };
        return true;
    }

    private async Task WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using var timer = time.CreateTimer(
            // Never null: it is this.
            static state => ((KeyFeed)state!).Hurry(), this, patience, Timeout.InfiniteTimeSpan);
        await hurry.Reader.ReadAsync(cancellationToken);
    }

    private void Wake(byte[] key)
    {
        lock (gate)
        {
            if (byKey.TryGetValue(KeyRange.Text(key), out var exact))
                foreach (var waiter in exact) waiter.Wake();
            foreach (var waiter in byRange)
                if (!waiter.OfSessions && waiter.Range.Contains(key)) waiter.Wake();
        }
    }

    private void WakeSessions()
    {
        lock (gate)
        {
            foreach (var waiter in byRange)
                if (waiter.OfSessions) waiter.Wake();
        }
    }

    private void WakeAll()
    {
        lock (gate)
        {
            foreach (var waiter in byKey.Values.SelectMany(waiters => waiters)) waiter.Wake();
            foreach (var waiter in byRange) waiter.Wake();
        }
    }

    private void Leave(KeyWaiter waiter)
    {
        lock (gate)
        {
            waiters--;
            if (!waiter.Range.IsSingle || waiter.OfSessions) byRange.Remove(waiter);
            else if (byKey.TryGetValue(waiter.Name, out var others) && others.Remove(waiter) && others.Count == 0)
                byKey.Remove(waiter.Name);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Changes of keys are not seen: the store refuses with {Code}")]
    private partial void LogAway(string code);
}

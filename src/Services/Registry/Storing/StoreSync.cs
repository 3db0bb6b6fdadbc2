using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Storing;

/// <summary>
/// The one loop between memory and store: writes what is pending, then applies what other nodes wrote. Both in one
/// loop, so that no change is in flight while the others' are judged against it.
/// </summary>
internal sealed partial class StoreSync(
    InstanceRegistry registry, RegistryStore store, TimeProvider time, ILogger logger)
{
    /// <summary>Between two looks at what others wrote, for when no notification comes.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Changes of so long are written together; well within the second that an acknowledgement may run ahead.
    /// </summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(50);

    /// <summary>After a failure of the store.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan PurgeInterval = TimeSpan.FromMinutes(1);

    // Callers of FlushAsync, any thread; answered by the loop.
    private readonly ConcurrentQueue<TaskCompletionSource> flushes = new();

    // The fields below belong to the loop.
    private long cursor;
    private long lastPurge;
    private long lastSeen;
    private string? lastBehind;
    private List<ForeignDrain> drains = [];
    private readonly Dictionary<ServiceKey, int> unpruned = []; // Events written since a service was last pruned.
    private bool away;

    /// <summary>True while the store cannot be reached; changes gather in memory.</summary>
    public bool IsAway => Volatile.Read(ref away);

    /// <summary>Loads what was known. Before <see cref="RunAsync"/>.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var stored = await store.LoadAsync(cancellationToken);
        registry.Restore(stored, store.IsShared);
        cursor = stored.Position;
        lastPurge = time.GetTimestamp();
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        store.CommittedElsewhere += registry.Pending.Hurry;
        try
        {
            while (true)
            {
                await registry.Pending.WaitAsync(
                    store.IsShared ? PollInterval : PurgeInterval, time, cancellationToken);
                if (flushes.IsEmpty && registry.Pending.Count > 0) await Task.Delay(Gathering, time, cancellationToken);
                if (!await RoundAsync(cancellationToken)) await Task.Delay(RetryInterval, time, cancellationToken);
            }
        }
        finally
        {
            store.CommittedElsewhere -= registry.Pending.Hurry;
            while (flushes.TryDequeue(out var waiting)) waiting.TrySetCanceled(cancellationToken);
        }
    }

    /// <summary>Completes when everything that was pending at the call is in the store.</summary>
    public Task FlushAsync()
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        flushes.Enqueue(waiting);
        registry.Pending.Hurry();
        return waiting.Task;
    }

    /// <summary>Writes and reads once.</summary>
    /// <returns>False when the store is away.</returns>
    internal async Task<bool> RoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WriteAllAsync(cancellationToken);
            if (store.IsShared)
            {
                await ReadAllAsync(cancellationToken);
                await SaySeenAsync(cancellationToken);
            }
            if (time.GetElapsedTime(lastPurge) >= PurgeInterval)
            {
                lastPurge = time.GetTimestamp();
                await store.PurgeAsync(cancellationToken);
            }
            if (away) LogBack();
            Volatile.Write(ref away, false);
            return true;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            if (!away) LogAway(registry.Pending.Count, failure);
            Volatile.Write(ref away, true);
            return false;
        }
    }

    private async Task WriteAllAsync(CancellationToken cancellationToken)
    {
        var waiting = new List<TaskCompletionSource>();
        while (flushes.TryDequeue(out var flush)) waiting.Add(flush);
        try
        {
            await WritePendingAsync(cancellationToken);
        }
        catch
        {
            foreach (var flush in waiting) flushes.Enqueue(flush); // Answered when the store is back.
            throw;
        }
        foreach (var flush in waiting) flush.TrySetResult();
    }

    private async Task WritePendingAsync(CancellationToken cancellationToken)
    {
        var (instances, services) = registry.Pending.Take();
        var events = registry.Pending.TakeEvents();
        if (instances.Count + services.Count + events.Count == 0) return;
        var left = new Queue<PendingInstance>(instances.Values.OrderBy(change => change.Number));
        try
        {
            while (left.Count > 0 || services.Count > 0 || events.Count > 0)
            {
                var batch = NextBatch(left, services);
                var rows = WithEvents(batch.Rows, events);
                var written = await store.WriteAsync(rows, cancellationToken);
                Acknowledge(batch, written);
                for (var done = 0; done < batch.Changes.Count; done++) left.Dequeue();
                for (var done = 0; done < rows.Events.Count; done++) events.Dequeue();
                foreach (var service in batch.Rows.Services) services.Remove(service.Key);
            }
        }
        catch
        {
            registry.Pending.GiveBack(left.Select(change => KeyValuePair.Create(change.State.Key, change)), services);
            foreach (var happened in events) registry.Pending.Note(happened);
            throw;
        }
    }

    /// <summary>Adds a part of the history to a batch, and has services pruned that have got enough of it.</summary>
    private WriteBatch WithEvents(WriteBatch rows, Queue<RegistryEvent> events)
    {
        var some = events.Take(RegistryStore.MaxRowsPerWrite).ToArray();
        var pruned = new List<ServiceKey>();
        foreach (var group in some.GroupBy(happened => happened.Service))
        {
            unpruned.TryGetValue(group.Key, out var before);
            var count = before + group.Count();
            if (count < EventStore.PruneEvery)
            {
                unpruned[group.Key] = count;
                continue;
            }
            unpruned.Remove(group.Key);
            pruned.Add(group.Key);
        }
        return rows with { Events = some, Pruned = pruned };
    }

    // A service's number goes with the last of its instances' rows, so that no reader sees the number before the rows.
    private static (WriteBatch Rows, List<PendingInstance> Changes) NextBatch(
        Queue<PendingInstance> left, Dictionary<ServiceKey, PendingService> services)
    {
        var changes = left.Take(RegistryStore.MaxRowsPerWrite).ToList();
        var later = left.Skip(changes.Count).Select(change => change.State.Key.Service).ToHashSet();
        var numbers = services.Where(service => !later.Contains(service.Key))
            .OrderBy(service => service.Value.Number)
            .Take(RegistryStore.MaxRowsPerWrite)
            .Select(service => new ServiceWrite(service.Key, service.Value.Number, service.Value.EmptyReason));
        return (new WriteBatch([.. changes.Select(InstanceWrite.Of)], [.. numbers]), changes);
    }

    private void Acknowledge((WriteBatch Rows, List<PendingInstance> Changes) batch, WrittenBatch written)
    {
        registry.Numbers.Raise(written.Position);
        foreach (var change in batch.Changes)
        {
            if (written.Applied is { } applied && !applied.Contains(change.State.Key))
            {
                // Another node was quicker. Its row comes with the next read; ours is merged with it and written again,
                // unless it was a removal: that is void then, or the row was never there.
                if (!change.Removes) registry.Pending.GiveBack([KeyValuePair.Create(change.State.Key, change)], []);
                continue;
            }
            change.State.StoredPosition = change.Number + written.Shift;
        }
        if (written.Shift == 0) return;
        foreach (var service in batch.Rows.Services)
            if (service.Number != PendingService.Forgotten)
                registry.Renumber(service.Key, service.Number + written.Shift);
    }

    private async Task ReadAllAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var changes = await store.ChangesAsync(cursor, cancellationToken);
            if (changes.Position == cursor) return;
            registry.Apply(changes);
            cursor = changes.Position;
            foreach (var row in changes.Instances) NoteDrain(row);
        }
    }

    private void NoteDrain(StoredInstance row)
    {
        if (row.Writer == registry.NodeName || row.Instance?.Status != InstanceStatus.Draining) return;
        if (registry.FindService(row.Key.Service) is not { } service) return;
        var index = registry.Publisher.Fresh(service)!.Index; // Published when the row was applied.
        drains.Add(new ForeignDrain(service, index, row.Position, time.GetTimestamp()));
    }

    /// <summary>
    /// Tells the node that drains an instance when the watchers here have been sent it, or take too long.
    /// </summary>
    private async Task SaySeenAsync(CancellationToken cancellationToken)
    {
        if (drains.Count == 0) return;
        var waiting = drains.FindAll(drain => !IsOver(drain));
        var seen = waiting.Count == 0 ? drains.Max(drain => drain.Position) : waiting.Min(drain => drain.Position) - 1;
        drains = waiting;
        var behind = WatcherNames.Write(waiting.SelectMany(
            drain => Watching.WatchSessions.Names(drain.Service, drain.Index, seen: false)));
        if (seen <= lastSeen && behind == lastBehind) return;
        lastSeen = Math.Max(seen, lastSeen);
        lastBehind = behind;
        await store.SetSeenAsync(lastSeen, behind, cancellationToken);
    }

    private bool IsOver(ForeignDrain drain) =>
        time.GetElapsedTime(drain.Since) >= registry.Options.DrainPatience
        || Watching.WatchSessions.Behind(drain.Service, drain.Index).Behind == 0;

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The store cannot be reached; the registry answers from memory, with {Pending} changes to write")]
    private partial void LogAway(int pending, Exception failure);

    [LoggerMessage(Level = LogLevel.Information, Message = "The store is back; the registry's changes are written")]
    private partial void LogBack();

    private readonly record struct ForeignDrain(ServiceState Service, long Index, long Position, long Since);
}

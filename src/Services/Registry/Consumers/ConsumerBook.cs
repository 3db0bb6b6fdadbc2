using System.Collections.Concurrent;
using System.Collections.Immutable;
using Groundwork.Kernel.Storage;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Consumers;

/// <summary>
/// Who consumes whom: heard on this node from reports of calls, from the gateway in this process and from watches;
/// written behind, in batches; answered from the store, where all nodes write, and from what is newer here.
/// </summary>
internal sealed partial class ConsumerBook(ConsumerStore store, string node, TimeProvider time, ILogger logger)
{
    public const string Sdk = "sdk";
    public const string Gateway = "gateway";
    public const string Watch = "watch";

    /// <summary>Who was not heard of for so long is no consumer any more.</summary>
    public static readonly TimeSpan Expiry = TimeSpan.FromHours(1);

    /// <summary>
    /// A breaker that was not told again for so long is of a process that has gone: those that are not closed come with
    /// every report, once a second.
    /// </summary>
    public static readonly TimeSpan BreakerExpiry = TimeSpan.FromSeconds(30);

    /// <summary>Consumers, each with each of its services, heard of on this node: about 30 MB.</summary>
    private const int MaxLinks = 100_000;

    /// <summary>Breakers of one consumer towards one service: it has as many methods.</summary>
    private const int MaxBreakers = 64;

    /// <summary>Between two writes of what is new.</summary>
    private static readonly TimeSpan WriteInterval = TimeSpan.FromSeconds(2);

    /// <summary>A consumer that is heard of all the time is written so often: 5,000 are 80 rows a second.</summary>
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromMinutes(1);

    /// <summary>Rows of one transaction.</summary>
    private const int MaxRowsPerWrite = 1000;

    private readonly ConcurrentDictionary<ConsumerLink, Heard> links = new();
    private readonly string gatewayName = $"{Gateway}/{node}";
    private long lastPurge; // Belongs to the loop.
    private bool isFull; // Told once.

    /// <summary>The gateway of this process has called the service.</summary>
    public void NoteGateway(ServiceKey service) => Note(new ConsumerLink(service, gatewayName, Gateway), []);

    /// <summary>Somebody was heard of.</summary>
    /// <param name="breakers">Of the consumer towards the service, as far as it told now.</param>
    public void Note(ConsumerLink link, IReadOnlyList<BreakerDocument> breakers)
    {
        if (!links.TryGetValue(link, out var heard))
        {
            if (links.Count >= MaxLinks)
            {
                if (!isFull) LogFull(MaxLinks);
                isFull = true;
                return;
            }
            heard = links.GetOrAdd(link, static _ => new Heard());
        }
        heard.Take(time.GetTimestamp(), breakers);
    }

    /// <summary>The consumers of a service, on all nodes.</summary>
    public Task<List<ConsumerRow>> OfServiceAsync(ServiceKey service, CancellationToken cancellationToken) =>
        ReadAsync(store.OfServiceAsync, service, link => link.Service == service, cancellationToken);

    /// <summary>What the instances of a service consume, as heard on all nodes.</summary>
    public Task<List<ConsumerRow>> OfConsumerAsync(ServiceKey consumer, CancellationToken cancellationToken)
    {
        var prefix = $"{consumer}/";
        return ReadAsync(
            store.OfConsumerAsync, consumer, link => link.Consumer.StartsWith(prefix, StringComparison.Ordinal),
            cancellationToken);
    }

    /// <summary>Which services consume which, on all nodes.</summary>
    public async Task<IReadOnlyCollection<ConsumerEdge>> EdgesAsync(CancellationToken cancellationToken)
    {
        List<ConsumerEdge> stored;
        try
        {
            stored = await store.EdgesAsync(Expiry, RefreshInterval + BreakerExpiry, node, cancellationToken);
        }
        catch (StorageException)
        {
            stored = []; // What this node has heard itself is still true.
        }
        var edges = stored.ToDictionary(edge => edge.Link);
        var (now, utc) = (time.GetTimestamp(), time.GetUtcNow());
        foreach (var (link, heard) in links)
        {
            var age = time.GetElapsedTime(heard.LastSeen, now);
            if (age >= Expiry) continue;
            var key = link with { Consumer = link.Consumer[..(link.Consumer.LastIndexOf('/') + 1)] };
            var known = edges.GetValueOrDefault(key) ?? new ConsumerEdge(key, DateTimeOffset.MinValue, 0);
            edges[key] = known with
            {
                LastSeen = known.LastSeen > utc - age ? known.LastSeen : utc - age,
                OpenBreakers = known.OpenBreakers + (heard.BreakersAt(now, time).Count > 0 ? 1 : 0),
            };
        }
        return edges.Values;
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(WriteInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken)) await RoundAsync(cancellationToken);
    }

    /// <summary>Writes what is new and forgets what is old.</summary>
    public async Task RoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var batch in TakeDue().Chunk(MaxRowsPerWrite))
            {
                await store.WriteAsync([.. batch.Select(one => one.Row)], node, cancellationToken);
                foreach (var one in batch) one.Heard.Written(one.At);
            }
            if (time.GetElapsedTime(lastPurge) < RefreshInterval) return;
            lastPurge = time.GetTimestamp();
            await store.PurgeAsync(Expiry, cancellationToken);
        }
        catch (StorageException fault)
        {
            LogNotWritten(fault.Fault.Detail); // The next round has it again.
        }
    }

    private List<(HeardConsumer Row, Heard Heard, long At)> TakeDue()
    {
        var now = time.GetTimestamp();
        var due = new List<(HeardConsumer, Heard, long)>();
        foreach (var (link, heard) in links)
        {
            var age = time.GetElapsedTime(heard.LastSeen, now);
            if (age >= Expiry)
            {
                links.TryRemove(KeyValuePair.Create(link, heard));
                isFull = false;
            }
            else if (heard.IsDue(now, time, RefreshInterval))
            {
                due.Add((new HeardConsumer(link, age, heard.BreakersAt(now, time)), heard, now));
            }
        }
        return due;
    }

    private async Task<List<ConsumerRow>> ReadAsync(
        Func<ServiceKey, TimeSpan, CancellationToken, Task<List<ConsumerRow>>> read,
        ServiceKey key,
        Func<ConsumerLink, bool> isWanted,
        CancellationToken cancellationToken)
    {
        List<ConsumerRow> stored;
        try
        {
            stored = await read(key, Expiry, cancellationToken);
        }
        catch (StorageException)
        {
            stored = []; // What this node has heard itself is still true.
        }
        var utc = time.GetUtcNow();
        var rows = new Dictionary<ConsumerLink, ConsumerRow>();
        foreach (var row in stored)
        {
            // A row is refreshed once a minute; breakers of one that is not are of a process that has gone.
            var isFresh = utc - row.LastSeen < RefreshInterval + BreakerExpiry;
            rows[row.Link] = isFresh ? row : row with { Breakers = [] };
        }
        var now = time.GetTimestamp();
        foreach (var (link, heard) in links)
        {
            if (!isWanted(link)) continue;
            var seen = utc - time.GetElapsedTime(heard.LastSeen, now);
            if (!rows.TryGetValue(link, out var row) || row.Node == node || row.LastSeen < seen)
                rows[link] = new ConsumerRow(link, seen, node, heard.BreakersAt(now, time));
        }
        return [.. rows.Values];
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "{Count} consumers are known, which is the limit; new ones are not")]
    private partial void LogFull(int count);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Consumers could not be written: {Reason}")]
    private partial void LogNotWritten(string reason);

    /// <summary>What was heard of one consumer. Any thread.</summary>
    private sealed class Heard
    {
        private readonly Lock gate = new(); // Guards the fields below, but for the time.
        private ImmutableDictionary<string, (BreakerDocument State, long At)> breakers =
            ImmutableDictionary<string, (BreakerDocument, long)>.Empty;
        private bool isChanged = true; // New, or its breakers are others.
        private long written;
        private long lastSeen;

        public long LastSeen => Volatile.Read(ref lastSeen);

        public void Take(long now, IReadOnlyList<BreakerDocument> told)
        {
            Volatile.Write(ref lastSeen, now);
            if (told.Count == 0) return;
            lock (gate)
            {
                foreach (var breaker in told)
                {
                    var method = breaker.Method ?? "";
                    var known = breakers.TryGetValue(method, out var before) ? before.State : null;
                    if (breaker.State == "closed") breakers = breakers.Remove(method);
                    else if (known is not null || breakers.Count < MaxBreakers)
                        breakers = breakers.SetItem(method, (breaker, now));
                    isChanged |= known?.State != (breaker.State == "closed" ? null : breaker.State);
                }
            }
        }

        public IReadOnlyList<BreakerDocument> BreakersAt(long now, TimeProvider time)
        {
            lock (gate)
                return [.. breakers.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value)
                    .Where(entry => time.GetElapsedTime(entry.At, now) < BreakerExpiry).Select(entry => entry.State)];
        }

        public bool IsDue(long now, TimeProvider time, TimeSpan refresh)
        {
            lock (gate)
                return isChanged || (LastSeen > written && time.GetElapsedTime(written, now) >= refresh);
        }

        public void Written(long at)
        {
            lock (gate)
            {
                written = at;
                isChanged = false;
            }
        }
    }
}

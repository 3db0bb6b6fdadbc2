using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Kernel.Storage;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Cluster;

/// <summary>A node of the cluster, as last read.</summary>
/// <param name="About">JSON for people: addresses, version, modules.</param>
/// <param name="LeaseUntil">By the database's clock.</param>
public sealed record ClusterNode(
    string Name, DateTimeOffset StartedAt, string About, DateTimeOffset LeaseUntil, bool IsLive);

/// <summary>
/// This node's lease, renewed in time, and the view of the others. All expiry is by the database's clock, so that nodes
/// whose clocks differ agree; what this node may still believe of itself is by its monotonic clock.
/// </summary>
public sealed partial class NodeLeases : IAsyncDisposable
{
    /// <summary>
    /// How long a silent node counts as live: short enough to hand its work over, long enough for a stall.
    /// </summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    /// <summary>Four renewals fit into a lease.</summary>
    public static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(2.5);

    /// <summary>Nodes that have been gone for so long leave the list.</summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromDays(1);

    private readonly IStorage storage;
    private readonly TimeProvider time;
    private readonly ILogger<NodeLeases> log;
    private readonly PeriodicTimer timer;
    private NodeRow self; // Replaced by Describe, read by the renewal loop.
    private readonly CancellationTokenSource stopping = new();
    private Task renewing = Task.CompletedTask;

    // Written by the renewal loop, read by anyone.
    private View view = new([], FrozenSet<string>.Empty);
    private ClockReading clock = new(0, 0);
    private long renewedAt;

    private NodeLeases(IStorage storage, NodeRow self, TimeProvider time, ILogger<NodeLeases> log)
    {
        this.storage = storage;
        this.self = self;
        this.time = time;
        this.log = log;
        timer = new PeriodicTimer(RenewEvery, time);
    }

    /// <summary>The node's own name.</summary>
    public string Self => self.Name;

    /// <summary>All nodes, as read with the last renewal.</summary>
    public ImmutableArray<ClusterNode> Nodes => Volatile.Read(ref view).Nodes;

    /// <summary>Names of the nodes whose lease has not ended.</summary>
    public IReadOnlySet<string> Live => Volatile.Read(ref view).Live;

    /// <summary>
    /// False once the own lease has surely ended: the node may be taken for dead and must not act for the cluster.
    /// </summary>
    public bool HoldsLease => time.GetElapsedTime(Volatile.Read(ref renewedAt)) < Lease;

    /// <summary>True while renewals fail: the node answers from memory and refuses writes.</summary>
    public bool IsCutOff { get; private set; }

    /// <summary>
    /// The database's clock in Unix milliseconds, on which all nodes agree: read with the last renewal, and moved on by
    /// the monotonic clock.
    /// </summary>
    internal long DatabaseClock
    {
        get
        {
            var read = Volatile.Read(ref clock);
            return read.Milliseconds + (long)time.GetElapsedTime(read.Timestamp).TotalMilliseconds;
        }
    }

    /// <summary>Raised on the renewal loop after the set of live nodes has changed.</summary>
    public event Action? Changed;

    public static IReadOnlyList<Migration> Migrations => ClusterStore.Migrations;

    /// <summary>
    /// Takes the node's lease. A process that still runs under the name is outranked and loses it: each name is for one
    /// process.
    /// </summary>
    public static async Task<NodeLeases> StartAsync(
        IStorage storage, string name, string about, TimeProvider time, ILoggerFactory logs,
            CancellationToken cancellationToken)
    {
        var incarnation = await storage.WriteAsync(
            session => ClusterStore.NextIncarnation(session, name), cancellationToken);
        var row = new NodeRow(name, incarnation, about);
        var leases = new NodeLeases(storage, row, time, logs.CreateLogger<NodeLeases>());
        await leases.RenewAsync(cancellationToken);
        leases.renewing = Task.Run(leases.RenewLoopAsync, CancellationToken.None);
        return leases;
    }

    /// <summary>Changes what the node says about itself; the next renewal tells it.</summary>
    public void Describe(string about) => Volatile.Write(ref self, self with { About = about });

    private async Task RenewLoopAsync()
    {
        while (await WaitAsync())
        {
            try
            {
                await RenewAsync(stopping.Token);
                if (IsCutOff) Reachable(log);
                IsCutOff = false;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (StorageException fault)
            {
                if (!IsCutOff) CutOff(log, fault.Fault.Detail);
                IsCutOff = true;
            }
            catch (Exception fault)
            {
                RenewalFailed(log, fault);
            }
        }
    }

    private async Task<bool> WaitAsync()
    {
        try
        {
            return await timer.WaitForNextTickAsync(stopping.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        // The lease counts from before the call: a slow answer must not make it look longer than it is.
        var asked = time.GetTimestamp();
        var row = Volatile.Read(ref self);
        var (renewed, rows, now) = await storage.WriteAsync(
            session =>
            {
                var renewed = ClusterStore.RenewNode(session, row, (long)Lease.TotalMilliseconds);
                var now = session.ReadClock();
                ClusterStore.ForgetNodes(session, now - (long)ForgetAfter.TotalMilliseconds);
                return (renewed, ClusterStore.ReadNodes(session), now);
            },
            cancellationToken);
        if (renewed) Volatile.Write(ref renewedAt, asked);
        else NameTaken(log, self.Name);
        Volatile.Write(ref clock, new ClockReading(now, time.GetTimestamp()));
        Show(rows, now);
    }

    private void Show(List<NodeRow> rows, long now)
    {
        var nodes = rows
            .Select(row => new ClusterNode(
                row.Name,
                DateTimeOffset.FromUnixTimeMilliseconds(row.Incarnation),
                row.About,
                DateTimeOffset.FromUnixTimeMilliseconds(row.LeaseUntil),
                row.LeaseUntil > now))
            .ToImmutableArray();
        var live = nodes.Where(node => node.IsLive).Select(node => node.Name).ToFrozenSet(StringComparer.Ordinal);
        var changed = !live.SetEquals(Live);
        Volatile.Write(ref view, new View(nodes, live));
        if (!changed) return;
        LiveNodes(log, string.Join(", ", live.Order(StringComparer.Ordinal)));
        Changed?.Invoke();
    }

    /// <summary>Ends the lease at once, so that others need not wait for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await renewing;
        timer.Dispose();
        try
        {
            await storage.WriteAsync(
                session =>
                {
                    ClusterStore.EndNode(session, self.Name, self.Incarnation);
                    return true;
                },
                CancellationToken.None);
        }
        catch (StorageException fault)
        {
            // The lease runs out by itself.
            CutOff(log, fault.Fault.Detail);
        }
        stopping.Dispose();
    }

    private sealed record ClockReading(long Milliseconds, long Timestamp);

    private sealed record View(ImmutableArray<ClusterNode> Nodes, FrozenSet<string> Live);

    [LoggerMessage(LogLevel.Warning, "The node's lease cannot be renewed ({Detail}); others will take over its work.")]
    private static partial void CutOff(ILogger log, string detail);

    [LoggerMessage(LogLevel.Information, "The node's lease is renewed again.")]
    private static partial void Reachable(ILogger log);

    [LoggerMessage(LogLevel.Error,
        "Another process runs under the node name '{Name}' and is newer; give this one a name of its own.")]
    private static partial void NameTaken(ILogger log, string name);

    [LoggerMessage(LogLevel.Error, "Renewing the node's lease failed; it is tried again.")]
    private static partial void RenewalFailed(ILogger log, Exception fault);

    [LoggerMessage(LogLevel.Information, "Live nodes: {Names}.")]
    private static partial void LiveNodes(ILogger log, string names);
}

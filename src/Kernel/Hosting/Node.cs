using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting;

/// <summary>What a running node gives its modules: the kernel, composed by hand, no container.</summary>
public sealed class Node
{
    /// <summary>The node's name, unique in the cluster.</summary>
    public required string Name { get; init; }

    public required ProcessConfiguration Configuration { get; init; }

    public required DataDirectory DataDirectory { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILoggerFactory Logs { get; init; }

    public required KindCatalog Kinds { get; init; }

    /// <summary>The database, for a module's own tables. Null in a follower, which has none.</summary>
    public required IStorage? Storage { get; init; }

    /// <summary>
    /// Signs what clients keep for the gateway. The same on all nodes of a store; a follower, which has no root key,
    /// has one of its own that lasts as long as the process.
    /// </summary>
    public required ReadOnlyMemory<byte> SessionKey { get; init; }

    /// <summary>Resources to read, local or followed.</summary>
    public required ISnapshotSource Snapshots { get; init; }

    /// <summary>
    /// The spec of a resource with its secrets in clear, for the module of its kind. Null in a follower, which gets
    /// them masked.
    /// </summary>
    public required Func<Resource, ReadOnlyMemory<byte>>? OpenSecrets { get; init; }

    /// <summary>Where changes are committed. Null in a follower: <c>read_only_follower</c>.</summary>
    public required ChangeLog? Changes { get; init; }

    public required Authorizer Authorizer { get; init; }

    public required AuditLog? Audit { get; init; }

    /// <summary>The keys that values in settings are sealed under. Null in a follower.</summary>
    public required SealingKeys? Sealing { get; init; }

    public required Listeners Listeners { get; init; }

    /// <summary>Nodes, leases and shared counters. Null in a follower.</summary>
    public required NodeCluster? Cluster { get; init; }

    /// <summary>
    /// The API of the followed node, with the access key on every request; its base address ends in <c>/</c>. Null on a
    /// node with a store.
    /// </summary>
    public required HttpClient? Followed { get; init; }

    /// <summary>Keeps the node's condition; a module that is not well says so here.</summary>
    public required NodeHealth Health { get; init; }

    /// <summary>What one stream of events can carry; a module adds its own while it starts.</summary>
    public required IList<IEventSource> Events { get; init; }

    /// <summary>What <c>/metrics</c> shows; a module adds its own while it starts.</summary>
    public required IList<IMetricsSource> Metrics { get; init; }
}

/// <summary>What nodes that share a store share besides resources.</summary>
/// <param name="Nodes">This node's lease, and the others.</param>
/// <param name="Leases">Named leases that one node holds at a time.</param>
/// <param name="Counters">Limits that hold over all nodes.</param>
public sealed record NodeCluster(NodeLeases Nodes, Leases Leases, SharedCounters Counters);

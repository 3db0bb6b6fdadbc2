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

    /// <summary>Resources to read, local or followed.</summary>
    public required ISnapshotSource Snapshots { get; init; }

    /// <summary>Where changes are committed. Null in a follower: <c>read_only_follower</c>.</summary>
    public required ChangeLog? Changes { get; init; }

    public required Authorizer Authorizer { get; init; }

    public required AuditLog? Audit { get; init; }

    public required Listeners Listeners { get; init; }
}

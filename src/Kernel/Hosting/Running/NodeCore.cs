using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Hosting.Running;

/// <summary>
/// Where a node's resources come from and who may touch them: a store of its own, or a node that it follows.
/// </summary>
internal sealed record NodeCore
{
    public required ISnapshotSource Snapshots { get; init; }

    public required Authorizer Authorizer { get; init; }

    public required Authenticator Authenticator { get; init; }

    /// <summary>Null in a follower.</summary>
    public StoreParts? Store { get; init; }

    /// <summary>Null on a node with a store.</summary>
    public HttpClient? Followed { get; init; }

    /// <summary>Told once, when this start made the install's first operator.</summary>
    public FirstPassword? FirstPassword { get; init; }
}

/// <summary>What only a node with a store has.</summary>
internal sealed record StoreParts(IStorage Storage, ChangeLog Changes, NodeSecurity Security, NodeCluster Cluster);

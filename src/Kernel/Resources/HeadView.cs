namespace Groundwork.Kernel.Resources;

/// <summary>
/// All resources as a changeset would leave them, inside its commit, for rules that need specs which snapshots leave
/// out.
/// </summary>
/// <param name="open">Reads a resource's spec, from the database where it is of a stored kind.</param>
public sealed class HeadView(Snapshot snapshot, Func<Resource, ReadOnlyMemory<byte>> open)
{
    public Snapshot Snapshot => snapshot;

    /// <summary>The spec of a resource of this snapshot, its secrets in clear.</summary>
    public ReadOnlyMemory<byte> Open(Resource resource) => open(resource);
}

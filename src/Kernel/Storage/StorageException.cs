using Groundwork.Wire;

namespace Groundwork.Kernel.Storage;

/// <summary>
/// The engine could not do its work. Nothing of the write it answers is in the store, except under
/// <c>write_in_doubt</c>, where nobody knows.
/// </summary>
public sealed class StorageException(Fault fault, Exception? cause = null) : Exception(fault.ToString(), cause)
{
    /// <summary>
    /// <c>storage_full</c>, <c>storage_unavailable</c>, <c>write_queue_full</c>, <c>read_queue_full</c>,
    /// <c>schema_newer</c>,
    /// <c>backup_invalid</c>, <c>restore_not_empty</c> or <c>write_in_doubt</c>.
    /// </summary>
    public Fault Fault { get; } = fault;
}

using Groundwork.Wire;

namespace Groundwork.Kernel.Storage;

/// <summary>The engine could not do its work; nothing of the write it answers is in the store.</summary>
public sealed class StorageException(Fault fault, Exception? cause = null) : Exception(fault.ToString(), cause)
{
    /// <summary><c>storage_full</c>, <c>storage_unavailable</c> or <c>write_queue_full</c>.</summary>
    public Fault Fault { get; } = fault;
}

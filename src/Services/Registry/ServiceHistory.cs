using Groundwork.Kernel.Storage;
using Groundwork.Services.Registry.Storing;

namespace Groundwork.Services.Registry;

/// <summary>
/// What happened to a service: from the store, where all nodes have it; from memory while that is away.
/// </summary>
internal sealed class ServiceHistory(InstanceRegistry registry, EventStore store, StoreSync sync, TimeProvider time)
{
    /// <summary>How long a reader waits for what has just happened to be written.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<StoredEvent>> ReadAsync(ServiceKey service, CancellationToken cancellationToken)
    {
        try
        {
            if (registry.Pending.HasEvents) await sync.FlushAsync().WaitAsync(Patience, time, cancellationToken);
            return await store.ReadAsync(service, cancellationToken).WaitAsync(Patience, time, cancellationToken);
        }
        catch (Exception failure) when (failure is TimeoutException or StorageException)
        {
            return [.. registry.Events(service).Select(happened => new StoredEvent(happened, registry.NodeName))];
        }
    }
}

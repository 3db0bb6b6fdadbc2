using System.Threading.RateLimiting;

namespace Groundwork.Client.Calls;

/// <summary>The places of a service, or of one of its methods, for calls under way. Thread-safe.</summary>
internal sealed class CallBulkhead(BulkheadPolicy policy)
{
    // Not disposed: it holds memory only, and calls of the policy before a change still give their places back.
    private readonly ConcurrencyLimiter limiter = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = policy.MaxConcurrent,
        QueueLimit = policy.Queue,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    public BulkheadPolicy Policy => policy;

    /// <summary>A place, perhaps after a wait in the queue; null when that is full.</summary>
    public async ValueTask<IDisposable?> EnterAsync(CancellationToken cancellationToken)
    {
        var lease = await limiter.AcquireAsync(1, cancellationToken);
        if (lease.IsAcquired) return lease;
        lease.Dispose();
        return null;
    }
}

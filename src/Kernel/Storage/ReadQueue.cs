using Groundwork.Wire;

namespace Groundwork.Kernel.Storage;

/// <summary>
/// Lets a bounded number of reads run on the thread pool, and a bounded number wait for them. Reads are synchronous
/// inside, so that they would otherwise take every thread.
/// </summary>
internal sealed class ReadQueue(int readers) : IAsyncDisposable
{
    private readonly SemaphoreSlim free = new(readers);
    private int waiting;
    private bool isClosed;

    private static Fault Full { get; } = new(
        ErrorCodes.ReadQueueFull, $"{StorageLimits.MaxWaitingReads} reads are waiting already.")
    {
        RetryAfter = TimeSpan.FromSeconds(1),
    };

    public async Task<T> RunAsync<T>(Func<T> read, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken);
        try
        {
            if (Volatile.Read(ref isClosed))
                throw new StorageException(new Fault(ErrorCodes.StorageUnavailable, "The storage is closed."));
            return await Task.Run(read, cancellationToken);
        }
        finally
        {
            free.Release();
        }
    }

    /// <summary>Waits for the reads that run; those that wait fail.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isClosed, true)) return;
        for (var i = 0; i < readers; i++) await free.WaitAsync();
        free.Release(readers);
    }

    private async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        if (free.Wait(0, CancellationToken.None)) return;
        if (Interlocked.Increment(ref waiting) > StorageLimits.MaxWaitingReads)
        {
            Interlocked.Decrement(ref waiting);
            throw new StorageException(Full);
        }

        try
        {
            await free.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }
}

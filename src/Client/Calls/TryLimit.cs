using System.Collections.Concurrent;

namespace Groundwork.Client.Calls;

/// <summary>
/// The time of one try: a token that is cancelled when it is over or the caller gives up. Used again and again, because
/// nearly all of them end unused.
/// </summary>
internal sealed class TryLimit(TimeProvider time)
{
    /// <summary>Sources kept for later; more were only needed by a burst.</summary>
    private const int MaxKept = 64;

    private readonly ConcurrentQueue<CancellationTokenSource> kept = new();

    public CancellationTokenSource Rent(TimeSpan length)
    {
        if (!kept.TryDequeue(out var source)) return new CancellationTokenSource(length, time);
        source.CancelAfter(length);
        return source;
    }

    /// <summary>Takes it back.</summary>
    /// <param name="source">What <see cref="Rent"/> gave.</param>
    /// <param name="isLetGo">True when nobody can still hold its token, so that it may serve another try.</param>
    public void Return(CancellationTokenSource source, bool isLetGo)
    {
        if (isLetGo && kept.Count < MaxKept && source.TryReset()) kept.Enqueue(source);
        else source.Dispose();
    }
}

namespace Groundwork.Communication.Gateway;

/// <summary>Counts the requests under way, so that a stop can wait for their end.</summary>
internal sealed class RequestsUnderWay
{
    private int count; // Interlocked.
    private TaskCompletionSource? empty; // Set once, when draining begins. Interlocked.

    /// <summary>True once a stop is wanted: connections are told to close with their next answer.</summary>
    public bool Draining => Volatile.Read(ref empty) is not null;

    public int Count => Volatile.Read(ref count);

    public Place Enter()
    {
        Interlocked.Increment(ref count);
        return new Place(this);
    }

    /// <summary>Ends when no request is under way any more.</summary>
    public Task DrainAsync()
    {
        var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = Interlocked.CompareExchange(ref empty, fresh, null) ?? fresh;
        // Whoever leaves last sees that somebody waits, or has left by now.
        if (Volatile.Read(ref count) == 0) waiting.TrySetResult();
        return waiting.Task;
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref count) == 0) Volatile.Read(ref empty)?.TrySetResult();
    }

    /// <summary>One request's place; given back by disposing.</summary>
    internal readonly struct Place(RequestsUnderWay owner) : IDisposable
    {
        public void Dispose() => owner.Leave();
    }
}

namespace Groundwork.Communication.Gateway;

/// <summary>Counts the requests under way, so that a stop can wait for their end.</summary>
internal sealed class RequestsUnderWay
{
    private readonly Lock gate = new();
    private int count; // Under the gate.
    private TaskCompletionSource? empty; // Under the gate; set once draining began.

    /// <summary>True once a stop is wanted: connections are told to close with their next answer.</summary>
    public bool Draining => Volatile.Read(ref empty) is not null;

    public Place Enter()
    {
        lock (gate) count++;
        return new Place(this);
    }

    /// <summary>Ends when no request is under way any more.</summary>
    public Task DrainAsync()
    {
        lock (gate)
        {
            empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (count == 0) empty.TrySetResult();
            return empty.Task;
        }
    }

    private void Leave()
    {
        lock (gate)
            if (--count == 0) empty?.TrySetResult();
    }

    /// <summary>One request's place; given back by disposing.</summary>
    internal readonly struct Place(RequestsUnderWay owner) : IDisposable
    {
        public void Dispose() => owner.Leave();
    }
}

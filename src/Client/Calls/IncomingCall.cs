namespace Groundwork.Client.Calls;

/// <summary>
/// What the request that this code runs for said of itself: how long its caller still waits, and which try it is. Flows
/// with the code, and ends with the request, so that work it leaves behind is not bound by it.
/// </summary>
internal sealed class IncomingCall : IDisposable
{
    private static readonly AsyncLocal<IncomingCall?> Flowing = new();

    private volatile bool isOver;

    private IncomingCall(long? deadline, int attempt)
    {
        Deadline = deadline;
        Attempt = attempt;
    }

    public static IncomingCall? Current => Flowing.Value is { isOver: false } call ? call : null;

    /// <summary>Timestamp after which the caller no longer waits; null when it did not say.</summary>
    public long? Deadline { get; }

    /// <summary>1: nobody before us has tried this again.</summary>
    public int Attempt { get; }

    /// <summary>Begins it in this flow; ends when disposed.</summary>
    public static IncomingCall Begin(long? deadline, int attempt) =>
        Flowing.Value = new IncomingCall(deadline, attempt);

    public void Dispose() => isOver = true;
}

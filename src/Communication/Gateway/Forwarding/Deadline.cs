namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>
/// The time limit of whatever an exchange waits for right now: armed before each wait, disarmed where the client is
/// waited for. Its token also ends when the client goes.
/// </summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource expiry;
    private readonly CancellationTokenSource either;
    private readonly CancellationToken client;
    private readonly Lock gate = new();
    private bool opening; // Under the gate: no connection yet, and no piece of the body or the answer either.

    public Deadline(TimeProvider time, CancellationToken client)
    {
        this.client = client;
        expiry = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        either = CancellationTokenSource.CreateLinkedTokenSource(client, expiry.Token);
    }

    public CancellationToken Token => either.Token;

    /// <summary>True when a wait took too long, and not the client was the reason to stop.</summary>
    public bool Expired => expiry.IsCancellationRequested;

    public bool ClientGone => client.IsCancellationRequested;

    /// <summary>Arms the wait for a connection and the head of the answer together.</summary>
    public void ArmOpening(TimeSpan limit)
    {
        lock (gate)
        {
            opening = true;
            expiry.CancelAfter(limit);
        }
    }

    /// <summary>
    /// The connection that was opened for this exchange is there; from now on only the head is waited for. The exchange
    /// may have got another connection meanwhile, and be long past its head or over: then this means nothing.
    /// </summary>
    public void Opened(TimeSpan limit)
    {
        lock (gate)
            if (opening) expiry.CancelAfter(limit);
    }

    public void Arm(TimeSpan limit)
    {
        lock (gate)
        {
            opening = false;
            expiry.CancelAfter(limit);
        }
    }

    public void Disarm() => Arm(Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        lock (gate) opening = false;
        either.Dispose();
        expiry.Dispose();
    }
}

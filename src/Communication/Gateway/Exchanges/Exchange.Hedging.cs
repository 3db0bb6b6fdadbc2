using System.Buffers;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

// A second call beside the first one: see Forwarding.Hedging.
internal sealed partial class Exchange
{
    private CancellationTokenSource? outrunning; // Of a call beside which there may be another; null: of no such.

    /// <summary>True when sending it to two instances at once can do no harm, and both can be read.</summary>
    public bool IsHedgeable => IsSafe && Request.Body == BodyKind.None && !Upgrade;

    private bool IsOutrun => outrunning is { IsCancellationRequested: true };

    /// <summary>The next call may be told to stop because another was faster.</summary>
    public void ExpectRival() => outrunning = new CancellationTokenSource();

    /// <summary>Nobody is faster any more.</summary>
    public void ForgetRival() => outrunning = null;

    /// <summary>Tells the call under way to stop: another instance has answered. It ends soon, as failed.</summary>
    public void Outrun()
    {
        outrunning?.Cancel();
        Interrupt();
    }

    /// <summary>The same request to another instance; not sent yet. While another call is under way nothing of the
    /// exchange is changed.</summary>
    public SecondCall Second(Upstream upstream)
    {
        var other = pools.Of(upstream);
        var rented = ArrayPool<byte>.Shared.Rent(RequestForm.RoomFor(this, other.Authority));
        var length = RequestForm.Write(this, other.Authority, rented, attempt: Attempt + 1);
        return new SecondCall(
            other, rented.AsMemory(0, length), rented, new ResponseHead(answerLimits), Request.Method, time);
    }

    /// <summary>How long a second call may take to its connection, and to the head of its answer.</summary>
    public (TimeSpan Connect, TimeSpan Head) SecondLimits()
    {
        var head = Route.ResponseHeadTimeout;
        if (Route.TryTimeout != Timeout.InfiniteTimeSpan && Route.TryTimeout < head) head = Route.TryTimeout;
        return (ConnectLimit(), Within(head));
    }

    /// <summary>The first call is over, and failed: the client's leaving ends the second one now.</summary>
    public void Watch(SecondCall call)
    {
        Volatile.Write(ref exposed, call);
        if (Client.IsGone) Interrupt();
    }

    /// <summary>Goes on with the answer of a second call, whose head is there; the first call is over.</summary>
    /// <returns>A head that is needed no more.</returns>
    public ResponseHead Adopt(SecondCall call)
    {
        Resume();
        var mine = call.Take();
        var unused = Answer;
        (pool, connection, Answer) = (call.Pool, mine, call.Answer);
        (Cause, clientFault) = (null, null);
        received = answering = true;
        timedOut = false;
        Volatile.Write(ref exposed, mine);
        if (Client.IsGone) Interrupt();
        LimitRest(mine);
        return unused;
    }

    /// <summary>Takes note of a second call that is over, at the times at which things happened.</summary>
    public void NoteSecond(Upstream upstream, CallFailure failure, long asked, long ended)
    {
        Attempts++;
        Attempt++;
        if (failure == CallFailure.None) Instance = upstream;
        upstream.Series?.Count(failure, (long)time.GetElapsedTime(asked, ended).TotalMicroseconds);
        NoteAt(Stage.Attempt, "late, so asked as well", upstream, asked);
        NoteAt(
            Stage.Attempt, failure == CallFailure.None ? "answered" : Recording.GatewayFigures.ReasonOf(failure),
            upstream, ended);
    }

    /// <summary>Takes note of a decision that was made earlier.</summary>
    public void NoteAt(Stage stage, string what, object? about, long at)
    {
        if (decisions.Count < MaxDecisions) decisions.Add(new Decision(stage, what, about, at - Began));
    }
}

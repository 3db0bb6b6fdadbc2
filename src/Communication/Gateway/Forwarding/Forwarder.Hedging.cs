using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Forwarding;

// A request that takes longer than nearly all others do is sent to another instance as well. The first answer is
// taken, and the other call ended with its connection.
internal sealed partial class Forwarder
{
    // Who has a session stays with it, and who is a retry of somebody else is not multiplied.
    private static bool MayAskTwice(Exchange exchange, UpstreamTry place, bool isFirst) =>
        isFirst && exchange.IsHedgeable && exchange.Destination.Sticky is null && !place.Call.Upstream.SpeaksHttp2;

    /// <summary>Asks, and after a while another instance as well. The try that comes back is under way; another one
    /// is not any more.</summary>
    private async ValueTask<(CallFailure Failure, UpstreamTry Place, bool Twice)> AskTwiceAsync(
        Exchange exchange, UpstreamGuard guard, UpstreamTry place, HedgePolicy hedge)
    {
        hedge.Called(exchange.Now);
        if (hedge.After is not { } after) return (await AskAsync(exchange, guard, place), place, false);
        exchange.ExpectRival();
        try
        {
            var first = AskAsync(exchange, guard, place).AsTask();
            if (!await IsLateAsync(first, after)) return (await first, place, false);
            if (BeginSecond(exchange, guard, place, hedge) is { } second)
                return await RaceAsync(exchange, guard, place, second, first, hedge);
            var failure = await first;
            exchange.Note(Stage.Attempt, "late, and nobody else asked");
            return (failure, place, false);
        }
        finally
        {
            exchange.ForgetRival();
        }
    }

    private async Task<bool> IsLateAsync(Task first, TimeSpan after)
    {
        using var early = new CancellationTokenSource();
        var late = Task.Delay(after, time, early.Token);
        if (await Task.WhenAny(first, late) == late) return true;
        await early.CancelAsync();
        return false;
    }

    // Notes nothing: the first call is under way, and the exchange is its own.
    private UpstreamTry? BeginSecond(Exchange exchange, UpstreamGuard guard, UpstreamTry first, HedgePolicy hedge)
    {
        if (exchange.Client.IsGone || exchange.IsOverdue) return null;
        var permit = default(BreakerPermit);
        if (guard.Breaker is { } breaker && !breaker.TryEnter(out permit)) return null;
        if (chooser.Choose(
                exchange.Destination, true, time.GetTimestamp(), first.Call.Upstream, exchange.Failed)
            .TryGet(out var call, out _))
        {
            if (!call.Upstream.SpeaksHttp2 && hedge.TryTake(guard.Budget)) return new UpstreamTry(call, permit);
            call.End();
        }
        guard.Breaker?.Forget(permit);
        return null;
    }

    private async ValueTask<(CallFailure Failure, UpstreamTry Place, bool Twice)> RaceAsync(
        Exchange exchange, UpstreamGuard guard, UpstreamTry place, UpstreamTry second, Task<CallFailure> first,
        HedgePolicy hedge)
    {
        var call = exchange.Second(second.Call.Upstream);
        var asked = time.GetTimestamp();
        second.Call.Asked(asked);
        var (connectLimit, headLimit) = exchange.SecondLimits();
        var other = call.SendAsync(connectLimit, headLimit);
        CallFailure failure;
        CallFailure otherFailure;
        if (await Task.WhenAny(first, other) == other && await other == CallFailure.None)
        {
            exchange.Outrun();
            // Had it its answer after all, then over a connection that is ended by now.
            if (await first == CallFailure.None) await exchange.DropAsync();
            (failure, otherFailure) = (CallFailure.Outrun, CallFailure.None);
        }
        else
        {
            failure = await first;
            // With these nobody waits for another answer.
            var isOver = failure is CallFailure.None or CallFailure.ClientGone or CallFailure.Deadline;
            if (isOver) call.Abort();
            else exchange.Watch(call);
            otherFailure = await other;
            if (isOver && otherFailure == CallFailure.None) otherFailure = CallFailure.Outrun;
        }
        var won = otherFailure == CallFailure.None;
        if (failure.BlamesInstance() && won) Blame(exchange, failure, place.Call.Upstream);
        Account(exchange, guard, second, call, otherFailure, asked);
        hedge.Ended(won);
        call.Close(won ? exchange.Adopt(call) : call.Answer);
        var (mine, unused) = won ? (second, place) : (place, second);
        unused.Call.End();
        return (won ? CallFailure.None : failure, mine, true);
    }

    // As the first call accounts for itself.
    private void Account(
        Exchange exchange, UpstreamGuard guard, UpstreamTry second, SecondCall call, CallFailure failure, long asked)
    {
        var ended = time.GetTimestamp();
        if (failure == CallFailure.Outrun) second.Call.Outrun(ended);
        else second.Call.Heard(failure == CallFailure.None, ended);
        guard.Heard(failure, call.Answer.Status, time.GetElapsedTime(asked, ended), second.Permit);
        exchange.NoteSecond(second.Call.Upstream, failure, asked, ended);
        // A kept connection that was closed just then says nothing of the instance.
        if (!failure.BlamesInstance() || failure == CallFailure.KeptClosed) return;
        exchange.Failed.Add(second.Call.Upstream);
        Report(
            second.Call.Upstream, failure.IsUnsent() ? CallOutcome.ConnectFailed : CallOutcome.NoAnswer,
            call.Cause?.Message);
    }
}

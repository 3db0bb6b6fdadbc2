using System.Globalization;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Limits;

/// <summary>Lets a request pass when its caller has not used up what it may.</summary>
internal sealed class LimitStep(LimitPolicy policy, LimitTable table, TimeProvider time, long origin) : IRequestStep
{
    /// <summary>Requests of one limit that wait for their turn: each holds its connection and some kilobytes.</summary>
    private const int MaxWaiting = 1_000;

    private int waiting; // Interlocked.

    public Stage Stage => Stage.Limit;

    public LimitPolicy Policy => policy;

    public LimitTable Table => table;

    /// <summary>Requests that wait for their turn.</summary>
    public int Waiting => Volatile.Read(ref waiting);

    /// <summary>The time that the limit counts by.</summary>
    public long Now => time.GetElapsedTime(origin).Ticks;

    public ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        Span<byte> key = stackalloc byte[LimitKey.MaxBytes];
        var length = policy.Key.Write(exchange, key);
        var verdict = table.Take(key[..length], Now, out var entry);
        if (!verdict.Passes) return ValueTask.FromResult(Refuse(exchange, verdict));
        if (policy.IsConcurrent) exchange.Hold(entry);
        if (policy.Tells) Tell(exchange, verdict);
        if (verdict.Wait > 0) return WaitAsync(exchange, verdict);
        exchange.Note(Stage.Limit, "allowed", policy);
        return ValueTask.FromResult(StepResult.GoOn);
    }

    private async ValueTask<StepResult> WaitAsync(Exchange exchange, Verdict verdict)
    {
        if (Interlocked.Increment(ref waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref waiting);
            return Refuse(exchange, verdict);
        }
        try
        {
            await Task.Delay(TimeSpan.FromTicks(verdict.Wait), time, CancellationToken.None);
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
        exchange.Note(Stage.Limit, "waited", policy);
        return exchange.Client.IsGone ? StepResult.Answered : StepResult.GoOn;
    }

    private StepResult Refuse(Exchange exchange, Verdict verdict)
    {
        exchange.Note(Stage.Limit, "refused", policy);
        Tell(exchange, verdict with { Remaining = 0, Reset = verdict.Wait });
        return StepResult.Refuse(new Fault(
            ErrorCodes.RateLimited, $"More requests have come than the limit {policy.Name} lets pass.")
        {
            RetryAfter = TimeSpan.FromTicks(verdict.Wait),
        });
    }

    // draft-ietf-httpapi-ratelimit-headers-10: lists, to which each limit of the route adds its item.
    private void Tell(Exchange exchange, Verdict verdict)
    {
        exchange.AnswerFields.Add(new("RateLimit-Policy", policy.Policy));
        var seconds = (verdict.Reset + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond;
        exchange.AnswerFields.Add(new("RateLimit", string.Create(
            CultureInfo.InvariantCulture, $"\"{policy.Name}\";r={verdict.Remaining};t={seconds}")));
    }
}

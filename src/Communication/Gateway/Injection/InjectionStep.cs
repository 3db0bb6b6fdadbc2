using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Transforms;

namespace Groundwork.Communication.Gateway.Injection;

/// <summary>Makes the faults that routes put in on purpose.</summary>
internal sealed class InjectionMaker(OwnAnswers answers, TimeProvider time) : IStepMaker
{
    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context is not { Policies: RouteSpec { Inject: { } spec } route, Path: { } path }) yield break;
        var match = new MatchSpec([], "/", Headers: spec.Headers);
        if (!RouteConditions.TryCompile(match, out var conditions)) yield break;
        var answer = spec.Abort is not { } abort ? null : OwnAnswer.Compile(
            new RouteSpec(
                route.Match, Respond: new AnswerSpec(abort.Status, "This fault is put in on purpose.\n")), path);
        yield return new InjectionStep(spec, conditions, answer, answers, time);
    }
}

/// <summary>Keeps some requests waiting, and answers some with an error.</summary>
internal sealed class InjectionStep(
    InjectSpec spec, RouteConditions conditions, OwnAnswer? answer, OwnAnswers answers, TimeProvider time)
    : IRequestStep
{
    /// <summary>Says on answers what was done to their requests.</summary>
    private const string FieldName = "Groundwork-Injected";

    /// <summary>Requests of one route that are kept waiting: each holds its connection and some kilobytes.</summary>
    private const int MaxWaiting = 1_000;

    private int waiting; // Interlocked.

    public Stage Stage => Stage.Injection;

    public ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        if (!conditions.Hold(exchange.View())) return ValueTask.FromResult(StepResult.GoOn);
        var waits = spec.Delay is { } delay && Random.Shared.NextDouble() * 100 < delay.Percent;
        var aborts = spec.Abort is { } abort && Random.Shared.NextDouble() * 100 < abort.Percent;
        return waits || aborts ? InjectAsync(exchange, waits, aborts) : ValueTask.FromResult(StepResult.GoOn);
    }

    private async ValueTask<StepResult> InjectAsync(Exchange exchange, bool waits, bool aborts)
    {
        if (waits && spec.Delay is { } delay && await WaitAsync(TimeSpan.FromMilliseconds(delay.Ms)))
        {
            exchange.Note(Stage.Injection, "delayed");
            exchange.AnswerFields.Add(new(FieldName, "delay"));
        }
        if (exchange.Client.IsGone) return StepResult.Answered;
        if (!aborts || answer is null) return StepResult.GoOn;
        exchange.Note(Stage.Injection, "aborted");
        exchange.AnswerFields.Add(new(FieldName, "abort"));
        exchange.Head.Added.Add(new("Content-Type", "text/plain"));
        await answers.AnswerAsync(exchange, answer);
        return StepResult.Answered;
    }

    private async ValueTask<bool> WaitAsync(TimeSpan wait)
    {
        var waited = Interlocked.Increment(ref waiting) <= MaxWaiting;
        if (waited) await Task.Delay(wait, time, CancellationToken.None);
        Interlocked.Decrement(ref waiting);
        return waited;
    }
}

using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Steps;

/// <summary>
/// One thing that a route does with each of its requests before they go anywhere. Compiled with the route; serves many
/// requests at once. What outlives a change of the route is kept by its <see cref="IStepMaker"/>.
/// </summary>
internal interface IRequestStep
{
    Stage Stage { get; }

    /// <summary>
    /// Lets the request go on, refuses it, or answers it. Completes at once unless it has to wait for somebody. It may
    /// put a client of its own before the exchange's (<see cref="Exchange.Wrap"/>), add fields for the instance or the
    /// answer, and take note of the end (<see cref="Exchange.Hold"/>).
    /// </summary>
    ValueTask<StepResult> RunAsync(Exchange exchange);
}

/// <summary>Makes the steps of one concern, and keeps what outlives a change of a route.</summary>
internal interface IStepMaker
{
    /// <summary>The steps that a route, or a listener, wants; none as a rule.</summary>
    IEnumerable<IRequestStep> Make(StepContext context);
}

/// <summary>Who wants steps.</summary>
/// <param name="Key">The route or the listener.</param>
/// <param name="Policies">What it says.</param>
/// <param name="Path">What its path captures; null for a listener.</param>
internal sealed record StepContext(Kernel.Resources.ResourceKey Key, IPolicies Policies, Routing.PathPattern? Path);

/// <summary>What becomes of a request after a step.</summary>
/// <param name="Fault">Why it is refused; null: it is not.</param>
/// <param name="IsAnswered">True when the step has answered it, or nobody is left to be answered.</param>
internal readonly record struct StepResult(Fault? Fault, bool IsAnswered)
{
    public static StepResult GoOn => default;

    public static StepResult Answered => new(null, true);

    public static StepResult Refuse(Fault fault) => new(fault, false);
}

/// <summary>Something that a request holds until it is over.</summary>
internal interface IHeld
{
    /// <summary>The request is over, however it ended. Must not throw.</summary>
    void End(Exchange exchange);
}

using System.Collections.Immutable;

namespace Groundwork.Communication.Gateway.Steps;

/// <summary>Puts the steps of all concerns into the one order.</summary>
internal sealed class StepCompiler(ImmutableArray<IStepMaker> makers)
{
    public static StepCompiler Empty { get; } = new([]);

    public ImmutableArray<IRequestStep> Compile(StepContext context)
    {
        List<IRequestStep>? steps = null;
        foreach (var maker in makers)
            foreach (var step in maker.Make(context)) (steps ??= []).Add(step);
        // Stable, so that two of one stage stay as their maker gave them.
        return steps is null ? [] : [.. steps.OrderBy(step => step.Stage)];
    }
}

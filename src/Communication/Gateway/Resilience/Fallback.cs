using System.Text;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>What a route answers when its service does not: a fixed answer, or that of another target.</summary>
internal sealed record Fallback(OwnAnswer? Answer, Target? Target);

/// <summary>How a route deals with failures: compiled.</summary>
/// <param name="Retry">Null: as the upstream says.</param>
internal sealed record RoutePolicy(RetryPolicy? Retry, Fallback? Fallback, Importance Importance)
{
    public static RoutePolicy Default { get; } = new(null, null, Importance.Normal);

    public static RoutePolicy Compile(ResourceKey key, RouteSpec spec, PathPattern path)
    {
        if (spec.Resilience is not { } said) return Default;
        var fallback = said.Fallback is not { } other ? null : new Fallback(
            other.Respond is { } answer
                ? OwnAnswer.Compile(new RouteSpec(spec.Match, Respond: answer), path)
                : null,
            Target.TryMake(other.Service, other.Upstream, key.Namespace));
        return new RoutePolicy(
            RetryPolicy.Of(said.Retry), fallback, Importances.Read(said.Importance) ?? Importance.Normal);
    }
}

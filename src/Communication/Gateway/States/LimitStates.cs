using Groundwork.Communication.Gateway.Limits;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Gateway.States;

/// <summary>Tells what callers have used of limits.</summary>
internal static class LimitStates
{
    /// <param name="hottest">Callers to be told of; 0: nobody is looked for.</param>
    public static GatewayLimitState Read(ResourceKey owner, LimitStep step, int hottest)
    {
        var (spec, table) = (step.Policy.Spec, step.Table);
        var (callers, fromOthers) = hottest > 0 ? table.Read(step.Now, hottest) : ([], 0);
        return new GatewayLimitState(
            owner.Namespace.Length == 0 ? owner.Name : $"{owner.Namespace}/{owner.Name}", owner.Kind, spec.Name,
            spec switch
            {
                { Bucket: not null } => "bucket",
                { Window: not null } => "window",
                { Pace: not null } => "pace",
                _ => "concurrent",
            },
            step.Policy.Shape.Requests, spec.By ?? [], table.Count, spec.MaxKeys, table.Passed, table.Refused,
            step.Waiting, step.Policy.IsShared, fromOthers, table.Parts,
            [.. callers.Select(caller => Read(step.Policy.Key, caller.Key, caller.Use))],
            spec.Bucket?.Seconds ?? spec.Window?.Seconds ?? spec.Pace?.Seconds,
            spec.Bucket is null ? null : step.Policy.Shape.Burst);
    }

    private static GatewayLimitCaller Read(LimitKey form, byte[] key, LimitUse use) => new(
        [.. form.Tell(key).Select(part => new GatewayLimitKeyPart(part.By, part.Value, part.Digest))],
        use.Passed, use.Refused, use.FromOthers, use.Quota, use.Room.Remaining,
        Math.Round(TimeSpan.FromTicks(use.Room.Reset).TotalMilliseconds));
}

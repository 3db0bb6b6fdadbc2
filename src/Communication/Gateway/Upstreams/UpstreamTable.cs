using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Upstreams;

/// <summary>The upstreams in force, kept in step with the snapshots.</summary>
internal sealed partial class UpstreamTable : IDisposable
{
    private readonly UpstreamParts parts;
    private readonly ResourceTable<UpstreamPlan> plans;

    public UpstreamTable(ISnapshotSource snapshots, UpstreamParts parts)
    {
        this.parts = parts;
        plans = new ResourceTable<UpstreamPlan>(
            snapshots, UpstreamKind.Name, Compile, static plan => plan.Dispose());
    }

    public UpstreamPlan? Find(ResourceKey key) => plans.Current.GetValueOrDefault(key);

    public IEnumerable<KeyValuePair<ResourceKey, UpstreamPlan>> All => plans.Current;

    /// <summary>
    /// The plan of an upstream that is only thought of; null when it is not understood. Nothing is looked up for it.
    /// </summary>
    public UpstreamPlan? Draft(Resource resource) =>
        UpstreamPlan.TryCompile(resource, parts, out var plan, out _, looksUp: false) ? plan : null;

    public void Dispose() => plans.Dispose();

    private UpstreamPlan? Compile(Resource resource)
    {
        if (!UpstreamPlan.TryCompile(resource, parts, out var plan, out var reason))
            LogSkipped(parts.Logger, resource.Key, reason);
        else if (plan.Policy.Tls is { IsInsecure: true }) LogInsecure(parts.Logger, resource.Key);
        return plan;
    }

    [LoggerMessage(1, LogLevel.Error, "The {Upstream} is not served: {Reason}")]
    private static partial void LogSkipped(ILogger logger, ResourceKey upstream, string reason);

    [LoggerMessage(2, LogLevel.Warning, "The {Upstream} is insecure: certificates of its instances are not verified")]
    private static partial void LogInsecure(ILogger logger, ResourceKey upstream);
}

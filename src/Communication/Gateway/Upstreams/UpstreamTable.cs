using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Upstreams;

/// <summary>The upstreams in force, kept in step with the snapshots.</summary>
internal sealed partial class UpstreamTable : IDisposable
{
    private readonly UpstreamParts parts;
    private readonly IDisposable subscription;
    private ImmutableDictionary<ResourceKey, UpstreamPlan> current =
        ImmutableDictionary<ResourceKey, UpstreamPlan>.Empty; // Written on the publisher's thread alone.

    public UpstreamTable(ISnapshotSource snapshots, UpstreamParts parts)
    {
        this.parts = parts;
        subscription = snapshots.Subscribe(Apply); // Calls back at once with the current snapshot.
    }

    public UpstreamPlan? Find(ResourceKey key) => Volatile.Read(ref current).GetValueOrDefault(key);

    public void Dispose()
    {
        subscription.Dispose();
        foreach (var plan in current.Values) plan.Dispose();
    }

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(UpstreamKind.Name)) return;
        var next = current.ToBuilder();
        var gone = new List<UpstreamPlan>();
        if (change.Before is null)
        {
            foreach (var resource in change.After.Of(UpstreamKind.Name).Values) Put(resource.Key, resource);
        }
        else
        {
            // A group may change one several times; the last word counts.
            var last = new Dictionary<ResourceKey, Resource?>();
            foreach (var one in change.Changes)
                if (one.Key.Kind == UpstreamKind.Name) last[one.Key] = one.After;
            foreach (var (key, resource) in last) Put(key, resource);
        }
        Volatile.Write(ref current, next.ToImmutable());
        foreach (var plan in gone) plan.Dispose();

        void Put(ResourceKey key, Resource? resource)
        {
            if (next.Remove(key, out var before)) gone.Add(before);
            if (resource is null) return;
            if (UpstreamPlan.TryCompile(resource, parts, out var plan, out var reason))
            {
                next.Add(key, plan);
                if (plan.Policy.Tls is { IsInsecure: true }) LogInsecure(parts.Logger, key);
            }
            else LogSkipped(parts.Logger, key, reason);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The {Upstream} is not served: {Reason}")]
    private static partial void LogSkipped(ILogger logger, ResourceKey upstream, string reason);

    [LoggerMessage(2, LogLevel.Warning, "The {Upstream} is insecure: certificates of its instances are not verified")]
    private static partial void LogInsecure(ILogger logger, ResourceKey upstream);
}

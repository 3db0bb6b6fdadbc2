using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Delivery;

/// <summary>Where requests go: a service or an upstream, or some of its instances. Equal when it is the same.</summary>
internal sealed class Target : IEquatable<Target>
{
    private readonly ImmutableArray<KeyValuePair<string, string>> metadata;

    private Target(
        ServiceKey? service, ResourceKey? upstream, string? version,
        ImmutableArray<KeyValuePair<string, string>> metadata)
    {
        Key = new TargetKey(service, upstream);
        Version = version;
        this.metadata = metadata;
        var some = metadata.Select(pair => $"{pair.Key}={pair.Value}")
            .Concat(version is null ? [] : [$"version {version}"]);
        Subset = string.Join(", ", some.Order(StringComparer.Ordinal));
        Name = (service?.ToString() ?? upstream?.ToString() ?? "") + (Subset.Length == 0 ? "" : $" ({Subset})");
    }

    public TargetKey Key { get; }

    /// <summary>Null when it is an upstream.</summary>
    public ServiceKey? Service => Key.Service;

    public ResourceKey? Upstream => Key.Upstream;

    public string? Version { get; }

    /// <summary>What its instances have; empty for all of them.</summary>
    public string Subset { get; }

    /// <summary>What is known of it as a whole; of <see cref="Resilience.UpstreamGuards"/>.</summary>
    public Resilience.UpstreamGuard? Guard { get; set; }

    /// <summary>For people.</summary>
    public string Name { get; }

    /// <summary>Null for a target that is not understood.</summary>
    public static Target? TryMake(
        string? service, string? upstream, string ns, string? version = null,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ImmutableArray<KeyValuePair<string, string>> some = metadata is null ? [] : [.. metadata];
        if (ServiceKey.TryParse(service, ns, out var key)) return new Target(key, null, version, some);
        return DeliveryRules.TryReadUpstream(upstream, ns, out var name) ? new Target(null, name, version, some) : null;
    }

    public bool Takes(Instance instance)
    {
        if (Version is not null && instance.Version != Version) return false;
        foreach (var (name, value) in metadata)
            if (!instance.Metadata.TryGetValue(name, out var found) || found != value) return false;
        return true;
    }

    public bool Equals(Target? other) =>
        other is not null && Key == other.Key && Subset == other.Subset;

    public override bool Equals(object? obj) => Equals(obj as Target);

    public override int GetHashCode() => HashCode.Combine(Key, Subset);

    public override string ToString() => Name;
}

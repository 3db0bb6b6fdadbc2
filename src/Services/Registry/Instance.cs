using System.Collections.Immutable;

namespace Groundwork.Services.Registry;

public enum InstanceStatus { Starting, Up, Draining, OutOfService, Down }

/// <summary>What callers need of an instance: immutable.</summary>
public sealed record Instance(InstanceKey Key, string Host, int Port)
{
    public string Scheme { get; init; } = "http";

    public int Weight { get; init; } = 100;

    public InstanceStatus Status { get; init; } = InstanceStatus.Up;

    public string? Version { get; init; }

    public string? Zone { get; init; }

    public ImmutableSortedDictionary<string, string> Metadata { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;
}

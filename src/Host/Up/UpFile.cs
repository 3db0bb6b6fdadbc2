using System.Collections.Immutable;
using Groundwork.Wire;

namespace Groundwork.Host.Up;

/// <summary>What <c>up</c> is to run: <c>up.yaml</c>, checked.</summary>
/// <param name="Directory">Absolute path of the directory that holds it.</param>
/// <param name="Namespace">Where the services register and read their settings.</param>
/// <param name="Services">In start order: what a service depends on stands before it.</param>
/// <param name="Resources">Absolute paths of files applied, in this order, before the services start.</param>
internal sealed record UpFile(
    string Directory,
    string Namespace,
    ImmutableArray<ServiceDefinition> Services,
    ImmutableArray<string> Resources)
{
    public const string FileName = "up.yaml";

    /// <summary>Services of one file: <c>up</c> is for one machine and one screen.</summary>
    public const int MaxServices = 64;
}

/// <summary>A service of <c>up.yaml</c>.</summary>
/// <param name="Name">Its name in the registry.</param>
internal sealed record ServiceDefinition(string Name)
{
    /// <summary>Instances of one service.</summary>
    public const int MaxReplicas = 16;

    /// <summary>The command and its arguments; empty when <see cref="Project"/> says what to run.</summary>
    public ImmutableArray<string> Command { get; init; } = [];

    /// <summary>Absolute path of the .NET project to build and run; null when there is a command.</summary>
    public string? Project { get; init; }

    public int Replicas { get; init; } = 1;

    /// <summary>Fixed ports, the first replica's first; those without one get a free port.</summary>
    public ImmutableArray<int> Ports { get; init; } = [];

    public ImmutableSortedDictionary<string, string> Environment { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Path that answers 2xx when the instance can work; null: it can as soon as it runs.</summary>
    public string? Health { get; init; }

    /// <summary>Services that must be healthy before this one starts, unless they are optional.</summary>
    public ImmutableArray<string> DependsOn { get; init; } = [];

    /// <summary>True: its failure to build, start or become healthy holds up nobody.</summary>
    public bool Optional { get; init; }

    /// <summary>The id that the replica registers under, and that <c>up</c> prefixes its log with.</summary>
    public string InstanceId(int replica) => $"{Name}-{replica}";

    public static bool IsName(string name) => Names.IsSegment(name) && name.Length <= Names.MaxNamespaceLength;
}

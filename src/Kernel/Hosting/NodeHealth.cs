using System.Collections.Concurrent;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// Whether the node should get traffic, and what is wrong with it. A node that is cut off from its store still answers
/// from memory, so that is <c>degraded</c>; only a node that starts or drains is <c>failing</c>.
/// </summary>
public sealed class NodeHealth(Func<ISnapshotSource?> snapshots)
{
    public const string Ok = "ok";
    public const string Degraded = "degraded";
    public const string Failing = "failing";

    /// <summary>Silence of the store or of the followed node that is worth telling.</summary>
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Func<string?>> checks = new(StringComparer.Ordinal);
    private volatile string? closed = "the node is starting";

    /// <summary>True from the first moment of a stop.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>Adds a check that answers at once: null when all is well, else one sentence without secrets.</summary>
    public void Add(string name, Func<string?> check) => checks[name] = check;

    /// <summary>The condition now, for <c>/health/ready</c>.</summary>
    public HealthDocument Read()
    {
        if (closed is { } why) return new HealthDocument(Failing, [why]);
        var reasons = new List<string>();
        if (snapshots() is { Staleness: var age } && age > StaleAfter)
            reasons.Add($"no news for {age.TotalSeconds:0} s from where resources come from; answers are from memory");
        foreach (var (name, check) in checks.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            if (check() is { } reason) reasons.Add($"{name}: {reason}");
        return new HealthDocument(reasons.Count == 0 ? Ok : Degraded, reasons);
    }

    internal void Open() => closed = null;

    internal void Drain()
    {
        IsDraining = true;
        closed = "the node is draining";
    }
}

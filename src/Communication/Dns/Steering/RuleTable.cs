using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Steering;

/// <summary>The rules in force, by the names that they are for.</summary>
internal sealed class RuleTable : IDisposable
{
    private readonly IDisposable subscription;
    private FrozenDictionary<(DnsName Name, bool IsBelow), ImmutableArray<SteeringRule>> rules =
        FrozenDictionary<(DnsName, bool), ImmutableArray<SteeringRule>>.Empty;

    public RuleTable(ISnapshotSource snapshots) => subscription = snapshots.Subscribe(Apply);

    public void Dispose() => subscription.Dispose();

    /// <summary>The rules of a name, in the order in which they are asked. A name's own come before those of all names
    /// below another.</summary>
    public ImmutableArray<SteeringRule> Of(DnsName name)
    {
        var current = Volatile.Read(ref rules);
        if (current.Count == 0) return [];
        var found = current.GetValueOrDefault((name, false), []);
        for (var above = name; !above.IsRoot;)
        {
            above = above.Parent;
            if (current.TryGetValue((above, true), out var more)) found = found.AddRange(more);
        }
        return found;
    }

    // Rules change by hand, and are as few as zones: all of them are compiled when one changes.
    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(DnsRuleKind.Name)) return;
        var next = new Dictionary<(DnsName, bool), ImmutableArray<SteeringRule>>();
        foreach (var rule in change.After.Of(DnsRuleKind.Name).Values.Select(SteeringRule.Compile)
            .OrderBy(rule => rule.Order).ThenBy(rule => rule.Name, StringComparer.Ordinal))
            foreach (var name in rule.Names) next[name] = next.GetValueOrDefault(name, []).Add(rule);
        Volatile.Write(ref rules, next.ToFrozenDictionary());
    }
}

using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Readers;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Releases;

/// <summary>
/// The gray releases of a snapshot by setting. Derived once for every change of one, not for every reader.
/// </summary>
internal sealed class GrayReleases(ChangeLog changes)
{
    private Derived? last;

    public async ValueTask<Outcome<ReleasesInForce>> AtAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        var table = snapshot.Of(GrayReleaseKind.Name);
        if (table.IsEmpty) return ReleasesInForce.None;
        if (Volatile.Read(ref last) is { } known && ReferenceEquals(known.Table, table)) return known.InForce;
        var rules = new List<ReleaseRule>(table.Count);
        foreach (var release in table.Values)
        {
            if (GrayReleaseKind.KnownRuleOf(release) is not { } rule)
            {
                var read = await changes.ReadStoredAsync(release, cancellationToken);
                if (!read.TryGet(out var whole, out var fault)) return fault;
                rule = GrayReleaseKind.RuleOf(release, _ => changes.Open(whole));
            }
            rules.Add(rule);
        }
        var inForce = ReleasesInForce.Of(rules);
        Volatile.Write(ref last, new Derived(table, inForce));
        return inForce;
    }

    private sealed record Derived(ImmutableSortedDictionary<ResourceKey, Resource> Table, ReleasesInForce InForce);
}

/// <summary>Which version of a setting is whose.</summary>
internal sealed class ReleasesInForce
{
    private readonly FrozenDictionary<(string Namespace, string Setting), ImmutableArray<ReleaseRule>> bySetting;

    private ReleasesInForce(
        FrozenDictionary<(string Namespace, string Setting), ImmutableArray<ReleaseRule>> bySetting) =>
        this.bySetting = bySetting;

    public static ReleasesInForce None { get; } = Of([]);

    public static ReleasesInForce Of(IEnumerable<ReleaseRule> rules) => new(rules
        .GroupBy(rule => (rule.Resource.Key.Namespace, rule.Setting))
        .ToFrozenDictionary(
            group => group.Key,
            group => group.Order(Comparer<ReleaseRule>.Create(ReleaseRule.Compare)).ToImmutableArray()));

    /// <summary>The releases of a setting, in the order that they are asked in.</summary>
    public ImmutableArray<ReleaseRule> Of(string @namespace, string setting) =>
        bySetting.TryGetValue((@namespace, setting), out var rules) ? rules : [];

    /// <summary>The version of a setting that a reader gets.</summary>
    public SettingVersion Choose(Resource setting, ReaderIdentity reader)
    {
        foreach (var rule in Of(setting.Key.Namespace, setting.Key.Name))
            if (rule.Receivers.Include(reader)) return new SettingVersion(setting, rule);
        return new SettingVersion(setting, null);
    }
}

/// <summary>A setting's own text, or that of one of its releases.</summary>
internal readonly record struct SettingVersion(Resource Setting, ReleaseRule? Rule)
{
    /// <summary>The change that made it so.</summary>
    public long Revision => Rule?.Resource.Revision ?? Setting.Revision;

    public string? Release => Rule?.Name;
}

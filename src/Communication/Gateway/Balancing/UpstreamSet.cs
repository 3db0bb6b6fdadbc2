using System.Collections.Concurrent;
using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>The instances of one membership, with the gateway's memory of each.</summary>
internal sealed class UpstreamSet
{
    private readonly ConcurrentDictionary<string, ImmutableArray<Members>> groups = new(StringComparer.Ordinal);
    private readonly string? zone; // The gateway's, where those in it go first.

    private UpstreamSet(
        Membership membership, BalancePolicy policy, ImmutableArray<Upstream> upstreams, string? zone)
    {
        Membership = membership;
        Policy = policy;
        Upstreams = upstreams;
        this.zone = policy.ZoneFirst ? zone : null;
    }

    public Membership Membership { get; }

    public BalancePolicy Policy { get; }

    public ImmutableArray<Upstream> Upstreams { get; }

    public static UpstreamSet Of(
        Membership membership, BalancePolicy policy, UpstreamSet? before, GatewayOptions options, TimeProvider time)
    {
        var known = before?.Upstreams.ToDictionary(upstream => upstream.Key);
        var own = policy.Over(options);
        // What changes its limits begins anew.
        var keeps = before is not null && Equals(before.Policy.Ejection, policy.Ejection)
            && Equals(before.Policy.Tls, policy.Tls);
        return new UpstreamSet(
            membership, policy,
            [
                .. membership.Instances.Select(instance =>
                    keeps && known?.GetValueOrDefault(instance.Key) is { } same && same.Is(instance)
                        && same.SpeaksHttp2 == SpeaksHttp2(instance, policy)
                        ? same
                        : new Upstream(instance, own, time)
                        {
                            // Those that were there when the gateway came are as warm as each other.
                            IsNew = before is not null,
                            IsRegistered = membership.IsRegistered,
                            Authority = membership.Authority,
                            Tls = policy.Tls,
                            SpeaksHttp2 = SpeaksHttp2(instance, policy),
                        }),
            ],
            options.Zone);
    }

    /// <summary>
    /// Among whom the requests of a target are shared out, in the order in which they are asked: the tiers, of each
    /// first those in the gateway's zone where that is wanted.
    /// </summary>
    public ImmutableArray<Members> GroupsOf(Target target) =>
        groups.TryGetValue(target.Subset, out var known)
            ? known
            : groups.GetOrAdd(target.Subset, static (_, state) => state.set.Group(state.target), (set: this, target));

    /// <summary>True when so many are left out that all are called.</summary>
    public bool Panics()
    {
        var left = 0;
        foreach (var upstream in Upstreams)
            if (!upstream.Ejection.IsOut) left++;
        return left == 0 || left * 100 < Policy.PanicPercent * Upstreams.Length;
    }

    /// <summary>True when one more may be left out.</summary>
    public bool MayEject()
    {
        if (Policy.MaxOutPercent >= 100) return true;
        var gone = 1;
        foreach (var upstream in Upstreams)
            if (upstream.Ejection.IsOut) gone++;
        return gone * 100 <= Policy.MaxOutPercent * Upstreams.Length;
    }

    // The upstream says it, or the instance itself.
    private static bool SpeaksHttp2(Instance instance, BalancePolicy policy) => (
        policy.Protocol ?? instance.Metadata.GetValueOrDefault("protocol")) is "h2" or "grpc";

    private ImmutableArray<Members> Group(Target target)
    {
        var made = ImmutableArray.CreateBuilder<Members>();
        var all = Membership.Instances.Zip(Upstreams).Where(pair => target.Takes(pair.First));
        foreach (var tier in all.GroupBy(pair => Membership.Tiers.GetValueOrDefault(pair.First.Key.Id))
            .OrderBy(tier => tier.Key))
        {
            if (zone is not null && tier.Where(pair => pair.First.Zone == zone).ToList() is { Count: > 0 } near
                && near.Count < tier.Count()) made.Add(Of(near));
            made.Add(Of(tier));
        }
        return made.ToImmutable();
    }

    private static Members Of(IEnumerable<(Instance First, Upstream Second)> pairs) => new(
        [.. pairs.Select(pair => pair.Second)], [.. pairs.Select(pair => Math.Max(1, pair.First.Weight))]);
}

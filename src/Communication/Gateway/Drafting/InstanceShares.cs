using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Services.Registry;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Gateway.Drafting;

/// <summary>
/// Tells how the requests of a target are shared out between its instances now, as far as all are equally busy: by the
/// sets that the choice itself is made from, without choosing.
/// </summary>
internal sealed class InstanceShares(TimeProvider time)
{
    /// <param name="destination">What of a request counts for the choice; null: of requests in general.</param>
    public IReadOnlyList<GatewayInstance> Of(UpstreamSet set, Delivery.Target target, Destination? destination)
    {
        var groups = set.GroupsOf(target);
        var (turn, anyway) = Turn(set, groups);
        var percents = turn is null ? [] : Percents(set, turn, anyway, destination);
        var instances = set.Membership.Instances.Zip(set.Upstreams).Where(pair => target.Takes(pair.First)).ToList();
        return
        [
            .. instances.Select(pair => ToDocument(
                pair.First, pair.Second, percents.GetValueOrDefault(pair.Second),
                set.Membership.Tiers.GetValueOrDefault(pair.First.Key.Id),
                turn?.Upstreams.Contains(pair.Second) == true)),
        ];
    }

    // Those whose turn it is: the first group in which somebody can be called, or all of the first when too many are
    // left out.
    private (Members? Members, bool Anyway) Turn(UpstreamSet set, ImmutableArray<Members> groups)
    {
        var panics = set.Panics();
        foreach (var group in groups)
            if (group.Upstreams.Any(one => panics ? one.HasRoom : one.CanTake(repeatable: true, time.GetTimestamp())))
                return (group, panics);
        foreach (var group in groups)
            if (group.Upstreams.Any(one => one.CanTakeDoubted())) return (group, true);
        return (null, false);
    }

    private Dictionary<Upstream, double> Percents(
        UpstreamSet set, Members members, bool anyway, Destination? destination)
    {
        bool CanTake(Upstream one) => anyway ? one.HasRoom : one.CanTake(repeatable: true, time.GetTimestamp());
        var all = members.Upstreams.Zip(members.Weights).ToList();
        if (destination?.Sticky is { } sticky
            && all.Find(pair => pair.First.Identity == sticky && pair.First.CanTakeDoubted()).First is { } kept)
            return new() { [kept] = 100 };
        if (set.Policy.Choice == ChoicePolicy.Hash && destination?.Key is { } key)
        {
            var ring = members.Ring;
            var place = ring.Find(key);
            for (var step = 0; step < ring.Length; step++)
                if (members.Upstreams[ring.OwnerAt(place + step)] is var owner && CanTake(owner))
                    return new() { [owner] = 100 };
        }
        var callable = all.Where(pair => CanTake(pair.First))
            .Select(pair => (
                pair.First, Share: pair.Second * pair.First.Readiness(set.Policy.SlowStart, time.GetTimestamp())))
            .ToList();
        var sum = callable.Sum(pair => pair.Share);
        return callable.ToDictionary(pair => pair.First, pair => sum > 0 ? 100 * pair.Share / sum : 0);
    }

    private static GatewayInstance ToDocument(
        Instance instance, Upstream upstream, double percent, int tier, bool isTurn) => new(
        instance.Key.Id, $"{instance.Scheme}://{upstream.Address.Authority}", StateOf(upstream, isTurn),
        Math.Round(percent, 2), instance.Weight, upstream.UnderWay, tier,
        upstream.Latency > 0 ? Math.Round(TimeSpan.FromTicks((long)upstream.Latency).TotalMilliseconds, 3) : null,
        instance.Zone, instance.Version);

    private static string StateOf(Upstream upstream, bool isTurn) =>
        upstream.Ejection.IsOut ? "ejected"
        : !upstream.HasRoom ? "full"
        : upstream.Ejection.IsSuspect ? "doubted"
        : isTurn ? "called" : "standby";
}

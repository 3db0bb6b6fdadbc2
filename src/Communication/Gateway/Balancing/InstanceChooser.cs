using System.Collections.Concurrent;
using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// Chooses the instance for a request, as its upstream says. Instances that are doubted or ejected are left out while
/// there is another; those that drain are not in the registry's callable list to begin with.
/// </summary>
internal sealed class InstanceChooser(
    IRegistryView registry, UpstreamTable upstreams, GatewayOptions options, TimeProvider time, Random random,
    TrafficCounters? traffic = null)
{
    private readonly ConcurrentDictionary<TargetKey, UpstreamSet> sets = new();

    /// <summary>All that have been chosen from, with the names under which they are told.</summary>
    public IReadOnlyList<(string Name, ImmutableArray<Upstream> Upstreams)> Sets =>
        [.. sets.Select(pair => (pair.Key.Name, pair.Value.Upstreams)).OrderBy(set => set.Item1,
            StringComparer.Ordinal)];

    /// <summary>The instances of one; none where nothing was chosen from them yet.</summary>
    public ImmutableArray<Upstream> InstancesOf(TargetKey key) =>
        sets.TryGetValue(key, out var set) ? set.Upstreams : [];

    /// <summary>Where the request goes, and what of it counts for the choice.</summary>
    public Destination Decide(
        Target target, in Routing.RequestView view, Routing.PathParameters parameters, Routing.PathPattern path)
    {
        if (target.Upstream is not { } name || upstreams.Find(name) is not { } upstream)
            return new(target, null, null);
        return new(target, upstream.Policy.By?.Of(view, parameters, path),
            upstream.Sticky?.Read(view.Fields, view.Time));
    }

    /// <summary>A place at an instance, or why there is none.</summary>
    /// <param name="repeatable">True when the request can be sent to another instance if this one fails.</param>
    /// <param name="now">Timestamp.</param>
    /// <param name="except">One that has failed this request already. Then being out is a reason even if all
    /// are.</param>
    /// <param name="failed">All that have failed it; null where <paramref name="except"/> is the only one.</param>
    public Outcome<UpstreamCall> Choose(
        in Destination destination, bool repeatable, long now, Upstream? except = null,
        List<Upstream>? failed = null)
    {
        if (!SetOf(destination.Target).TryGet(out var set, out var none)) return none;
        var groups = set.GroupsOf(destination.Target);
        if (groups.IsEmpty)
            return new Fault(ErrorCodes.NoInstance, "The service behind this route has no instance to call.");
        var wish = new Wish(repeatable, except, destination.Key, now, failed);
        if (destination.Sticky is { } sticky && Stay(groups, sticky, wish) is { } kept) return kept;
        // A place may be taken between the look and the grasp; then the others are looked at again.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var (upstream, rival, admission) = Pick(set, groups, wish);
            if (upstream is null) break;
            if (upstream.TryBegin(anyway: admission != Admission.Good, now, rival) is { } call) return call;
        }
        return new Fault(ErrorCodes.UpstreamBusy, "Every instance behind this route has as many requests as it may.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        };
    }

    /// <summary>The cookie that keeps the client at this instance; null when it has it, or needs none.</summary>
    public string? CookieFor(in Destination destination, Upstream chosen) =>
        destination.Target.Upstream is { } name && upstreams.Find(name)?.Sticky is { } sticky
            && destination.Sticky != chosen.Identity
            ? sticky.Write(chosen.Identity, time.GetUtcNow())
            : null;

    /// <summary>Forgets what no route leads to any more.</summary>
    public void Retain(IEnumerable<Target> targets)
    {
        var kept = TargetKey.Of(targets);
        foreach (var key in sets.Keys)
            if (!kept.Contains(key)) sets.TryRemove(key, out _);
    }

    private (Upstream? Upstream, Upstream? Rival, Admission Admission) Pick(
        UpstreamSet set, ImmutableArray<Members> groups, in Wish wish)
    {
        // Trying beats refusing; but who has just failed this request has had its try.
        var panics = wish.Except is null && set.Panics();
        for (var admission = panics ? Admission.Any : Admission.Good; admission <= Admission.Any; admission++)
        {
            if (admission == Admission.Any && !panics) break;
            foreach (var members in groups)
                if (Choosing.Pick(set.Policy, members, wish, admission, random, out var rival)
                    is >= 0 and var index)
                    return (members.Upstreams[index], rival < 0 ? null : members.Upstreams[rival], admission);
        }
        return (null, null, Admission.Any);
    }

    // Doubts are no reason to lose a session; being left out is.
    private static UpstreamCall? Stay(ImmutableArray<Members> groups, ulong sticky, in Wish wish)
    {
        foreach (var members in groups)
            foreach (var upstream in members.Upstreams)
                if (upstream.Identity == sticky && !wish.Excludes(upstream) && upstream.CanTakeDoubted())
                    return upstream.TryBegin(anyway: true, wish.Now);
        return null;
    }

    /// <summary>
    /// Who would be chosen from, or why nobody; nothing of it is remembered, so that it can be asked about what is only
    /// thought of.
    /// </summary>
    /// <param name="find">The upstreams that hold for it.</param>
    public Outcome<UpstreamSet> Foresee(Target target, Func<ResourceKey, UpstreamPlan?> find)
    {
        var (policy, service, forbidden) = (BalancePolicy.Default, target.Service, false);
        Membership? membership = null;
        if (target.Upstream is { } name)
        {
            if (find(name) is not { } upstream)
                return new Fault(ErrorCodes.NoInstance, "The upstream of this route does not exist.");
            (policy, service) = (upstream.Policy, upstream.Service);
            if (service is null) (membership, forbidden) = upstream.Current();
        }
        if (forbidden)
            return new Fault(
                ErrorCodes.UpstreamForbidden, "The upstream of this route is where nobody is ever called.");
        if (service is { } registered)
            membership = registry.Find(registered) is { } view ? Membership.Of(view) : null;
        if (membership is not { Instances.IsEmpty: false })
            return new Fault(ErrorCodes.NoInstance, "The service behind this route has no instance to call.");
        // A set of its own, whose groups are forgotten with it; what is known of its instances is shared.
        return UpstreamSet.Of(
            membership, policy, sets.GetValueOrDefault(target.Key), options, time);
    }

    private Outcome<UpstreamSet> SetOf(Target target)
    {
        Membership? membership = null;
        var policy = BalancePolicy.Default;
        var service = target.Service;
        if (target.Upstream is { } name)
        {
            if (upstreams.Find(name) is not { } upstream)
                return new Fault(ErrorCodes.NoInstance, "The upstream of this route does not exist.");
            (policy, service) = (upstream.Policy, upstream.Service);
            if (service is null && upstream.Current() is var (now, forbidden))
            {
                if (forbidden)
                    return new Fault(
                        ErrorCodes.UpstreamForbidden, "The upstream of this route is where nobody is ever called.");
                membership = now;
            }
        }
        var key = target.Key;
        var set = sets.GetValueOrDefault(key);
        if (service is { } registered)
        {
            var view = registry.Find(registered);
            if (set is not null && view is not null && ReferenceEquals(set.Membership.Identity, view)
                && ReferenceEquals(set.Policy, policy)) return set;
            membership = view is null ? null : Membership.Of(view);
        }
        if (membership is not { Instances.IsEmpty: false })
            return new Fault(ErrorCodes.NoInstance, "The service behind this route has no instance to call.");
        return set is not null && IsOf(set, membership, policy) ? set : Derive(key, membership, policy);
    }

    private UpstreamSet Derive(TargetKey key, Membership membership, BalancePolicy policy)
    {
        // Two threads may both derive it; one wins, and an older view never replaces a newer one.
        var set = sets.AddOrUpdate(
            key,
            static (_, state) => UpstreamSet.Of(state.membership, state.policy, null, state.options, state.time),
            static (_, before, state) =>
                IsOf(before, state.membership, state.policy)
                || (before.Membership.Index > state.membership.Index && ReferenceEquals(before.Policy, state.policy))
                ? before
                : UpstreamSet.Of(state.membership, state.policy, before, state.options, state.time),
            (membership, policy, options, time));
        var series = traffic?.Of(key.Name);
        foreach (var upstream in set.Upstreams)
        {
            upstream.Ejection.MayBegin = set.MayEject;
            upstream.Series = series;
        }
        return set;
    }

    private static bool IsOf(UpstreamSet set, Membership membership, BalancePolicy policy) =>
        ReferenceEquals(set.Membership.Identity, membership.Identity) && ReferenceEquals(set.Policy, policy);
}

/// <summary>Where one request goes.</summary>
/// <param name="Key">The caller's key; null where the choice asks for none, or the request has none.</param>
/// <param name="Sticky">The instance that the client had before, by its <see cref="Upstream.Identity"/>.</param>
internal readonly record struct Destination(Target Target, ulong? Key, ulong? Sticky);

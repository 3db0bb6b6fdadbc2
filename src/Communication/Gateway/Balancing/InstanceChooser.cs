using System.Collections.Concurrent;
using System.Collections.Immutable;
using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// Chooses the instance for a request: of two drawn by weight, the one with less under way. Instances that are doubted
/// or ejected are left out while there is another; those that drain are not in the registry's callable list to begin
/// with.
/// </summary>
internal sealed class InstanceChooser(IRegistryView registry, GatewayOptions options, TimeProvider time, Random random)
{
    private readonly ConcurrentDictionary<ServiceKey, UpstreamSet> sets = new();

    /// <summary>A place at an instance, or why there is none.</summary>
    /// <param name="repeatable">True when the request can be sent to another instance if this one fails.</param>
    /// <param name="except">One that has failed this request already. Then being out is a reason even if all
    /// are.</param>
    public Outcome<UpstreamCall> Choose(ServiceKey service, bool repeatable, Upstream? except = null)
    {
        if (registry.Find(service) is not { Callable.IsEmpty: false } view)
            return new Fault(ErrorCodes.NoInstance, "The service behind this route has no instance to call.");
        var set = SetOf(view);
        // A place may be taken between the look and the grasp; then the others are looked at again.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var index = Pick(set, repeatable, except, anyway: false);
            var anyway = index < 0;
            if (anyway) index = Pick(set, repeatable, except, anyway: true);
            if (index < 0 && except is null && AllOut(set))
                index = set.Upstreams.Length == 1 ? 0 : LessLoadedOfTwo(set);
            if (index < 0) break;
            if (set.Upstreams[index].TryBegin(anyway) is { } call) return call;
        }
        return new Fault(ErrorCodes.UpstreamBusy, "Every instance behind this route has as many requests as it may.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        };
    }

    /// <summary>Forgets what no route leads to any more.</summary>
    public void Retain(IEnumerable<ServiceKey> services)
    {
        var kept = services.ToImmutableHashSet();
        foreach (var key in sets.Keys)
            if (!kept.Contains(key)) sets.TryRemove(key, out _);
    }

    private UpstreamSet SetOf(ServiceView view)
    {
        var set = sets.GetValueOrDefault(view.Key);
        if (set is not null && ReferenceEquals(set.View, view)) return set;
        // Two threads may both derive it; one wins, and an older view never replaces a newer one.
        return sets.AddOrUpdate(
            view.Key,
            static (_, state) => UpstreamSet.Of(state.view, null, state.options, state.time),
            static (_, before, state) =>
                before.View.Index > state.view.Index || ReferenceEquals(before.View, state.view)
                ? before
                : UpstreamSet.Of(state.view, before, state.options, state.time),
            (view, options, time));
    }

    private int Pick(UpstreamSet set, bool repeatable, Upstream? except, bool anyway)
    {
        var upstreams = set.Upstreams;
        if (upstreams.Length == 1) return CanTake(0) ? 0 : -1;
        var first = set.Draw(random);
        var second = set.DrawOther(first, random);
        var (firstCan, secondCan) = (CanTake(first), CanTake(second));
        if (firstCan && secondCan) return set.LessLoaded(first, second);
        if (firstCan || secondCan) return firstCan ? first : second;
        var start = random.Next(upstreams.Length);
        for (var step = 0; step < upstreams.Length; step++)
            if ((start + step) % upstreams.Length is var index && CanTake(index)) return index;
        return -1;

        bool CanTake(int index) => upstreams[index] is var upstream && upstream != except
            && (anyway ? upstream.CanTakeDoubted() : upstream.CanTake(repeatable));
    }

    // All failed is more likely a fault here, or a moment's, than all of them dead: trying beats refusing.
    private static bool AllOut(UpstreamSet set)
    {
        foreach (var upstream in set.Upstreams)
            if (!upstream.Ejection.IsOut) return false;
        return true;
    }

    private int LessLoadedOfTwo(UpstreamSet set)
    {
        var first = set.Draw(random);
        return set.LessLoaded(first, set.DrawOther(first, random));
    }
}

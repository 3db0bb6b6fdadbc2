using System.Collections.Immutable;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// The callable instances of one view of a service, with the gateway's memory of each and their weights summed up.
/// </summary>
internal sealed class UpstreamSet
{
    private readonly ImmutableArray<Upstream> upstreams;
    private readonly ImmutableArray<int> weights;
    private readonly long[] sums; // sums[i]: weights of 0..i together.

    private UpstreamSet(ServiceView view, ImmutableArray<Upstream> upstreams)
    {
        View = view;
        this.upstreams = upstreams;
        weights = [.. view.Callable.Select(instance => Math.Max(1, instance.Weight))];
        sums = new long[upstreams.Length];
        var sum = 0L;
        for (var index = 0; index < sums.Length; index++) sums[index] = sum += weights[index];
    }

    public ServiceView View { get; }

    public ImmutableArray<Upstream> Upstreams => upstreams;

    public static UpstreamSet Of(ServiceView view, UpstreamSet? before, GatewayOptions options, TimeProvider time)
    {
        var known = before?.upstreams.ToDictionary(upstream => upstream.Key);
        return new UpstreamSet(view, [.. view.Callable.Select(instance =>
            known?.GetValueOrDefault(instance.Key) is { } same && same.Is(instance)
                ? same
                : new Upstream(instance, options, time))]);
    }

    /// <summary>An index, each as often as its weight says.</summary>
    public int Draw(Random random)
    {
        var at = Array.BinarySearch(sums, random.NextInt64(sums[^1]) + 1);
        return at < 0 ? ~at : at;
    }

    /// <summary>Another index than the first; by weight, unless one outweighs all others.</summary>
    public int DrawOther(int first, Random random)
    {
        for (var attempt = 0; attempt < 3; attempt++)
            if (Draw(random) is var index && index != first) return index;
        return (first + 1 + random.Next(upstreams.Length - 1)) % upstreams.Length;
    }

    /// <summary>The one with less under way for its weight; the first when they are even.</summary>
    public int LessLoaded(int first, int second) =>
        (long)upstreams[second].UnderWay * weights[first] < (long)upstreams[first].UnderWay * weights[second]
            ? second
            : first;
}

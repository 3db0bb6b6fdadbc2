using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Delivery;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>Some instances among which one is chosen, with what the ways to choose need: immutable but for whose turn
/// it is.</summary>
internal sealed class Members
{
    private readonly long[] sums; // sums[i]: weights of 0..i together.
    private SmoothSchedule? schedule; // Made by the first who needs it; whichever wins is as good.
    private HashRing? ring;

    public Members(ImmutableArray<Upstream> upstreams, ImmutableArray<int> weights)
    {
        Upstreams = upstreams;
        Weights = weights;
        sums = new long[upstreams.Length];
        var sum = 0L;
        for (var index = 0; index < sums.Length; index++) sums[index] = sum += weights[index];
    }

    public ImmutableArray<Upstream> Upstreams { get; }

    public ImmutableArray<int> Weights { get; }

    public int Count => Upstreams.Length;

    public SmoothSchedule Schedule
    {
        get
        {
            if (Volatile.Read(ref schedule) is { } known) return known;
            var made = SmoothSchedule.Of(Weights.AsSpan());
            return Interlocked.CompareExchange(ref schedule, made, null) ?? made;
        }
    }

    public HashRing Ring
    {
        get
        {
            if (Volatile.Read(ref ring) is { } known) return known;
            var made = HashRing.Of(
                Upstreams.Select(upstream => upstream.Identity).ToArray(), Weights.AsSpan());
            return Interlocked.CompareExchange(ref ring, made, null) ?? made;
        }
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
        return (first + 1 + random.Next(Count - 1)) % Count;
    }

    /// <summary>The one with less under way for its weight; the first when they are even.</summary>
    public int LessLoaded(int first, int second) =>
        (long)Upstreams[second].UnderWay * Weights[first] < (long)Upstreams[first].UnderWay * Weights[second]
            ? second
            : first;
}

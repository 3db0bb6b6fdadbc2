using System.Collections.Immutable;

namespace Groundwork.Client.Discovery;

/// <summary>Whose turn it is in a service's round; goes on when its list is swapped.</summary>
internal sealed class Turn
{
    private int last = -1;

    public int Next(int count) => (int)((uint)Interlocked.Increment(ref last) % (uint)count);
}

/// <summary>Draws one of a set of instances, as the policy says. Immutable but for the turn.</summary>
internal sealed class InstanceDraw
{
    // Weights added up, so that a draw by weight is one binary search.
    private readonly ImmutableArray<long> upTo;

    public InstanceDraw(ImmutableArray<ServiceTarget> targets, Turn turn)
    {
        Targets = targets;
        Turn = turn;
        var sums = ImmutableArray.CreateBuilder<long>(targets.Length);
        var sum = 0L;
        foreach (var target in targets) sums.Add(sum += target.Weight);
        upTo = sums.MoveToImmutable();
    }

    public ImmutableArray<ServiceTarget> Targets { get; }

    public Turn Turn { get; }

    /// <summary>True when less than this share of the instances is usable.</summary>
    public bool IsShort(double share)
    {
        if (share <= 0) return false;
        var usable = 0;
        foreach (var target in Targets)
            if (target.CanTake(repeatable: false)) usable++;
        return usable < share * Targets.Length;
    }

    /// <summary>One that nothing speaks against; null when there is none.</summary>
    public ServiceTarget? Available(in InstanceWish wish, out ChoiceReason reason)
    {
        reason = ChoiceReason.Only;
        if (Targets.IsEmpty) return null;
        switch (wish.Policy.Choice)
        {
            case InstanceChoice.RoundRobin:
                reason = ChoiceReason.RoundRobin;
                return From(Turn.Next(Targets.Length), wish, null);
            case InstanceChoice.Random:
                reason = ChoiceReason.Random;
                return From(Random.Shared.Next(Targets.Length), wish, null);
            case InstanceChoice.Weighted:
                reason = ChoiceReason.Weighted;
                return ByWeight(wish, null);
            case InstanceChoice.ConsistentHash when wish.Key is { } key:
                reason = ChoiceReason.Hash;
                return ByKey(wish, key);
            default:
                return LessLoaded(wish, ref reason);
        }
    }

    /// <summary>
    /// All are doubted, or even left out: calling one that failed is better than failing without a call.
    /// </summary>
    public ServiceTarget? Doubted(in InstanceWish wish, bool leftOut, out ChoiceReason reason)
    {
        reason = leftOut ? ChoiceReason.LeftOut : ChoiceReason.Doubted;
        if (Targets.IsEmpty) return null;
        var start = IndexByWeight();
        for (var offset = 0; offset < Targets.Length; offset++)
        {
            var target = Targets[(start + offset) % Targets.Length];
            if (wish.Allows(target) && (leftOut || !target.IsEjected)) return target;
        }
        return null;
    }

    // The better of two by load per weight, both drawn by weight; a tie goes to the first, so that idle instances get
    // their weights' share.
    private ServiceTarget? LessLoaded(in InstanceWish wish, ref ChoiceReason reason)
    {
        var first = ByWeight(wish, null);
        if (first is null) return null;
        var second = ByWeight(wish, first);
        if (second is null) return first;
        reason = ChoiceReason.LessLoaded;
        // a/wa > b/wb without a division; longs, because both factors may be large.
        return (long)first.InFlight * second.Weight > (long)second.InFlight * first.Weight ? second : first;
    }

    // A few draws find an available instance unless most are left out; then the list is searched from a random place.
    private ServiceTarget? ByWeight(in InstanceWish wish, ServiceTarget? other)
    {
        if (Targets.Length == 1) return From(0, wish, other);
        for (var draws = 0; draws < 4; draws++)
        {
            var target = Targets[IndexByWeight()];
            if (target != other && IsAvailable(target, wish)) return target;
        }
        return From(IndexByWeight(), wish, other);
    }

    private ServiceTarget? From(int start, in InstanceWish wish, ServiceTarget? other)
    {
        for (var offset = 0; offset < Targets.Length; offset++)
        {
            var target = Targets[(start + offset) % Targets.Length];
            if (target != other && IsAvailable(target, wish)) return target;
        }
        return null;
    }

    // Weighted rendezvous hashing: each instance draws a number from the key and itself, and the highest has it. An
    // instance that comes or goes moves its own keys and no other.
    private ServiceTarget? ByKey(in InstanceWish wish, ulong key)
    {
        ServiceTarget? best = null;
        var highest = double.NegativeInfinity;
        foreach (var target in Targets)
        {
            // In (0, 1): 53 bits are what a double holds.
            var drawn = ((StableHash.Mix(key ^ target.Hash) >> 11) + 0.5) * (1.0 / (1UL << 53));
            var score = target.Weight / -Math.Log(drawn);
            if (score <= highest || !IsAvailable(target, wish)) continue;
            highest = score;
            best = target;
        }
        return best;
    }

    private int IndexByWeight()
    {
        var drawn = Random.Shared.NextInt64(upTo[^1]) + 1;
        var index = upTo.BinarySearch(drawn);
        return index < 0 ? ~index : index;
    }

    private static bool IsAvailable(ServiceTarget target, in InstanceWish wish) =>
        wish.Allows(target) && target.CanTake(wish.Repeatable);
}

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>What one choice asks for.</summary>
/// <param name="Repeatable">True when the request can be sent to another instance if this one fails.</param>
/// <param name="Except">One that has failed this request already.</param>
/// <param name="Key">The caller's key, for <see cref="ChoicePolicy.Hash"/>.</param>
/// <param name="Now">Timestamp.</param>
/// <param name="Failed">All that have failed it; null where <paramref name="Except"/> is the only one.</param>
internal readonly record struct Wish(
    bool Repeatable, Upstream? Except, ulong? Key, long Now, List<Upstream>? Failed = null)
{
    public bool Excludes(Upstream upstream) => upstream == Except || Failed?.Contains(upstream) == true;
}

/// <summary>Who may be chosen.</summary>
internal enum Admission
{
    /// <summary>Those that nothing speaks against.</summary>
    Good,

    /// <summary>Those that are doubted, too: there is nobody better.</summary>
    Doubted,

    /// <summary>Those that are left out, too: so many are that the fault is more likely elsewhere.</summary>
    Any,
}

/// <summary>The ways to choose one of several. An index, or -1 when none may be chosen.</summary>
internal static class Choosing
{
    /// <param name="rival">The other one of two that were compared; -1 where there was none.</param>
    public static int Pick(
        BalancePolicy policy, Members members, in Wish wish, Admission admission, Random random, out int rival)
    {
        rival = -1;
        if (members.Count == 0) return -1;
        if (members.Count == 1) return CanTake(members, 0, wish, admission) ? 0 : -1;
        return policy.Choice switch
        {
            ChoicePolicy.RoundRobin => InTurn(policy, members, wish, admission, random),
            ChoicePolicy.LeastRequests => Least(policy, members, wish, admission, random),
            ChoicePolicy.Random => ByChance(policy, members, wish, admission, random),
            ChoicePolicy.Hash when wish.Key is { } key => ByKey(members, key, wish, admission),
            ChoicePolicy.Hash => ByChance(policy, members, wish, admission, random),
            var two => OfTwo(
                policy, members, wish, admission, random, two == ChoicePolicy.Fastest, out rival),
        };
    }

    private static bool CanTake(Members members, int index, in Wish wish, Admission admission)
    {
        var upstream = members.Upstreams[index];
        if (wish.Excludes(upstream)) return false;
        return admission switch
        {
            Admission.Good => upstream.CanTake(wish.Repeatable, wish.Now),
            Admission.Doubted => upstream.CanTakeDoubted(),
            _ => upstream.HasRoom,
        };
    }

    private static int OfTwo(
        BalancePolicy policy, Members members, in Wish wish, Admission admission, Random random, bool fastest,
        out int rival)
    {
        rival = -1;
        var first = Draw(policy, members, random, wish.Now);
        var second = members.DrawOther(first, random);
        if (!IsReady(policy, members, second, random, wish.Now)) second = first;
        var (firstCan, secondCan) =
            (CanTake(members, first, wish, admission), CanTake(members, second, wish, admission));
        if (firstCan && secondCan)
        {
            var better = fastest ? Cheaper(members, first, second, wish.Now) : members.LessLoaded(first, second);
            if (first != second) rival = better == first ? second : first;
            return better;
        }
        if (firstCan || secondCan) return firstCan ? first : second;
        return AnyFrom(members, random.Next(members.Count), wish, admission);
    }

    // What it takes, times those who wait there already and this one. Who has not been measured is tried.
    private static int Cheaper(Members members, int first, int second, long now)
    {
        var (one, other) = (members.Upstreams[first], members.Upstreams[second]);
        var (cost, otherCost) = (
            (one.LatencyAt(now) + 1) * (one.UnderWay + 1) * members.Weights[second],
            (other.LatencyAt(now) + 1) * (other.UnderWay + 1) * members.Weights[first]);
        return otherCost < cost ? second : first;
    }

    private static int InTurn(
        BalancePolicy policy, Members members, in Wish wish, Admission admission, Random random)
    {
        var schedule = members.Schedule;
        for (var step = 0; step < schedule.Length; step++)
        {
            var index = schedule.Next();
            if (CanTake(members, index, wish, admission) && IsReady(policy, members, index, random, wish.Now))
                return index;
        }
        return AnyFrom(members, random.Next(members.Count), wish, admission);
    }

    private static int Least(
        BalancePolicy policy, Members members, in Wish wish, Admission admission, Random random)
    {
        var start = random.Next(members.Count); // So that the first is not always the one of several that are even.
        var (best, bestLoad) = (-1, double.MaxValue);
        for (var step = 0; step < members.Count; step++)
        {
            var index = (start + step) % members.Count;
            if (!CanTake(members, index, wish, admission)) continue;
            var upstream = members.Upstreams[index];
            var share = members.Weights[index] * upstream.Readiness(policy.SlowStart, wish.Now);
            var load = (upstream.UnderWay + 1) / share;
            if (load < bestLoad) (best, bestLoad) = (index, load);
        }
        return best;
    }

    private static int ByChance(
        BalancePolicy policy, Members members, in Wish wish, Admission admission, Random random)
    {
        var index = Draw(policy, members, random, wish.Now);
        return CanTake(members, index, wish, admission)
            ? index
            : AnyFrom(members, random.Next(members.Count), wish, admission);
    }

    private static int ByKey(Members members, ulong key, in Wish wish, Admission admission)
    {
        var ring = members.Ring;
        var place = ring.Find(key);
        var last = -1;
        for (var step = 0; step < ring.Length; step++)
        {
            var index = ring.OwnerAt(place + step);
            if (index == last) continue;
            last = index;
            if (CanTake(members, index, wish, admission)) return index;
        }
        return -1;
    }

    private static int AnyFrom(Members members, int start, in Wish wish, Admission admission)
    {
        for (var step = 0; step < members.Count; step++)
            if ((start + step) % members.Count is var index && CanTake(members, index, wish, admission)) return index;
        return -1;
    }

    private static int Draw(BalancePolicy policy, Members members, Random random, long now)
    {
        for (var attempt = 0; attempt < 4; attempt++)
            if (members.Draw(random) is var index && IsReady(policy, members, index, random, now)) return index;
        return members.Draw(random);
    }

    // A new one is passed over as often as it is not ready yet.
    private static bool IsReady(
        BalancePolicy policy, Members members, int index, Random random, long now)
    {
        if (policy.SlowStart == TimeSpan.Zero) return true;
        var readiness = members.Upstreams[index].Readiness(policy.SlowStart, now);
        return readiness >= 1 || random.NextDouble() < readiness;
    }
}

using Groundwork.Communication.Gateway.Delivery;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// A consistent hash: every index has points on a ring, more by weight, and a key belongs to the next point. When an
/// instance leaves, only its own keys go elsewhere, spread over all others.
/// </summary>
internal sealed class HashRing
{
    /// <summary>Points of weight 100: shares then differ by about a tenth.</summary>
    private const int PointsOfNormal = 160;

    private const int MaxPoints = 100 * PointsOfNormal;

    private readonly ulong[] points;
    private readonly ushort[] owners;

    private HashRing(ulong[] points, ushort[] owners)
    {
        this.points = points;
        this.owners = owners;
    }

    public static HashRing Of(ReadOnlySpan<ulong> identities, ReadOnlySpan<int> weights)
    {
        var all = new List<(ulong Point, ushort Owner)>();
        for (var index = 0; index < identities.Length; index++)
        {
            var count = Math.Clamp(weights[index] * PointsOfNormal / 100, 1, MaxPoints);
            for (var point = 0; point < count; point++)
                all.Add((KeyHash.Mix(identities[index] + (ulong)point * 0x9E3779B97F4A7C15), (ushort)index));
        }
        all.Sort();
        return new HashRing([.. all.Select(one => one.Point)], [.. all.Select(one => one.Owner)]);
    }

    /// <summary>Where the key's point is; further places are reached by adding to it.</summary>
    public int Find(ulong key)
    {
        var at = Array.BinarySearch(points, key);
        return at < 0 ? ~at : at;
    }

    public int Length => points.Length;

    /// <summary>The index that a place belongs to.</summary>
    public int OwnerAt(int place) => owners[place % owners.Length];
}

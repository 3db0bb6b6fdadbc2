using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Delivery;

namespace Groundwork.Communication.Tests.Gateway.Balancing;

public sealed class HashRingTests
{
    private const int Keys = 20_000;

    [Fact]
    public void When_an_instance_leaves_only_its_own_keys_move()
    {
        var names = Enumerable.Range(0, 10).Select(number => $"10.0.0.{number}:80").ToList();
        var before = Owners(names, 100);
        var after = Owners([.. names.Where(name => name != "10.0.0.4:80")], 100);
        var moved = 0;
        for (var key = 0; key < Keys; key++)
        {
            if (before[key] == "10.0.0.4:80") moved++;
            else Assert.Equal(before[key], after[key]);
        }
        Assert.InRange(moved, Keys / 10 * 7 / 10, Keys / 10 * 13 / 10);
        // They are spread over all others, and not given to a neighbour.
        var heirs = Enumerable.Range(0, Keys).Where(key => before[key] == "10.0.0.4:80").CountBy(key => after[key]);
        Assert.All(heirs, heir => Assert.InRange(heir.Value, 1, moved / 2));
        Assert.Equal(9, heirs.Count());
    }

    [Fact]
    public void Shares_follow_the_weights()
    {
        var ring = HashRing.Of([KeyHash.Of("a"), KeyHash.Of("b")], [100, 300]);
        var heavy = Enumerable.Range(0, Keys).Count(key => ring.OwnerAt(ring.Find(KeyHash.Of($"user-{key}"))) == 1);
        Assert.InRange(heavy, Keys * 65 / 100, Keys * 85 / 100);
    }

    [Fact]
    public void A_key_has_the_same_number_on_every_machine() =>
        Assert.Equal(0x3507_D047_A67C_08F4UL, KeyHash.Of("alice"));

    private static List<string> Owners(List<string> names, int weight)
    {
        var ring = HashRing.Of([.. names.Select(KeyHash.Of)], [.. names.Select(_ => weight)]);
        return [.. Enumerable.Range(0, Keys).Select(key => names[ring.OwnerAt(ring.Find(KeyHash.Of($"user-{key}")))])];
    }
}

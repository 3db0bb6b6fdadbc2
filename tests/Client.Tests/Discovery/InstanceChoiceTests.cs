using Groundwork.Client.Discovery;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Tests.Discovery;

public sealed class InstanceChoiceTests
{
    private const int Draws = 20_000;

    private readonly ManualTimeProvider time = new();

    [Fact]
    public void Round_robin_goes_one_after_the_other_and_on_when_the_list_is_swapped()
    {
        var list = List([At(1), At(2), At(3)]);
        var wish = Wish(InstanceChoice.RoundRobin);

        Assert.Equal([1, 2, 3, 1], Enumerable.Range(0, 4).Select(_ => Port(list, wish)));
        var next = CallableList.From(Document([At(1), At(2), At(3)]), list, null, time);
        Assert.Equal([2, 3, 1], Enumerable.Range(0, 3).Select(_ => Port(next, wish)));
    }

    [Fact]
    public void Random_does_not_look_at_weights_and_weighted_does()
    {
        var list = List([At(1, weight: 100), At(2, weight: 300)]);

        Assert.InRange(Share(list, Wish(InstanceChoice.Random), 2), 0.47, 0.53);
        Assert.InRange(Share(list, Wish(InstanceChoice.Weighted), 2), 0.72, 0.78);
    }

    [Theory]
    [InlineData("RoundRobin")]
    [InlineData("Random")]
    [InlineData("Weighted")]
    [InlineData("ConsistentHash")]
    [InlineData("PowerOfTwo")]
    public void Whatever_the_choice_one_that_is_left_out_or_was_tried_is_not_chosen(string choice)
    {
        var list = List([At(1), At(2), At(3)]);
        for (var i = 0; i < 2; i++) list.Callable[0].Learn(CallOutcome.ConnectFailed);
        var wish = Wish(Enum.Parse<InstanceChoice>(choice)) with { Last = list.Callable[1] };

        for (var i = 0; i < 200; i++) Assert.Equal(3, Port(list, wish with { Key = StableHash.Of($"{i}") }));
        // With all of them left out or tried, the one left out is called nevertheless.
        Assert.Equal(1, Port(list, wish with { Earlier = [list.Callable[2]], Key = 7 }));
    }

    [Fact]
    public void A_key_goes_to_the_same_instance_in_every_process_and_spreads_by_weight()
    {
        var list = List([At(1), At(2), At(3, weight: 200)]);

        // Written out, so that it is seen when callers of two versions would no longer agree.
        Assert.Equal(10901341536481849558UL, StableHash.Of("customer-7"));
        var seventh = Port(list, Hash("customer-7"));
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(seventh, Port(list, Hash("customer-7"))));
        var third = Enumerable.Range(0, Draws).Count(number => Port(list, Hash($"customer-{number}")) == 3);
        Assert.InRange(third / (double)Draws, 0.47, 0.53);
        var without = Wish(InstanceChoice.ConsistentHash);
        Assert.Equal(3, Enumerable.Range(0, 100).Select(_ => Port(list, without)).Distinct().Count());
    }

    [Fact]
    public void An_instance_that_goes_moves_its_own_keys_and_one_that_comes_takes_its_share()
    {
        var four = List([At(1), At(2), At(3), At(4)]);
        var three = List([At(1), At(2), At(4)]);
        var moved = 0;
        for (var number = 0; number < Draws; number++)
        {
            var wish = Hash($"customer-{number}");
            var before = Port(four, wish);
            if (before != 3) Assert.Equal(before, Port(three, wish));
            else moved++;
        }
        Assert.InRange(moved / (double)Draws, 0.22, 0.28);
    }

    [Fact]
    public void Keys_of_one_that_is_left_out_are_spread_and_come_back()
    {
        var list = List([At(1), At(2), At(3)]);
        var keys = Enumerable.Range(0, 1000).Select(number => Hash($"customer-{number}")).ToList();
        var before = keys.ConvertAll(wish => Port(list, wish));
        for (var i = 0; i < 2; i++) list.Callable[0].Learn(CallOutcome.NoAnswer);

        var without = keys.ConvertAll(wish => Port(list, wish));
        var moved = before.Zip(without).Where(pair => pair.First == 1).Select(pair => pair.Second);
        Assert.Equal([2, 3], moved.Distinct().Order());
        Assert.All(before.Zip(without).Where(pair => pair.First != 1), pair => Assert.Equal(pair.First, pair.Second));

        list.Callable[0].Learn(CallOutcome.Answered);
        Assert.Equal(before, keys.ConvertAll(wish => Port(list, wish)));
    }

    [Fact]
    public void The_own_zone_is_first_unless_turned_off_or_too_few_are_left_there()
    {
        var list = List(
            [At(1) with { Zone = "here" }, At(2) with { Zone = "here" }, At(3) with { Zone = "there" }], zone: "here");
        var usual = new InstanceWish(ChoicePolicy.Usual, "http", true);
        IEnumerable<int> Ports(ChoicePolicy policy) =>
            Enumerable.Range(0, 300).Select(_ => Port(list, usual with { Policy = policy })).Distinct().Order();

        Assert.Equal([1, 2], Ports(ChoicePolicy.Usual));
        Assert.Equal([1, 2, 3], Ports(ChoicePolicy.Usual with { SameZone = false }));
        Assert.Equal([1, 2], Ports(ChoicePolicy.Usual with { SpillBelow = 0.6 }));

        for (var i = 0; i < 2; i++) list.Callable[0].Learn(CallOutcome.ConnectFailed);
        Assert.Equal([2], Ports(ChoicePolicy.Usual));
        Assert.Equal([2, 3], Ports(ChoicePolicy.Usual with { SpillBelow = 0.6 }));
        Assert.Equal([2], Ports(ChoicePolicy.Usual with { SpillBelow = 0.5 }));
    }

    [Fact]
    public void A_wanted_version_is_preferred_or_required()
    {
        var list = List(
            [At(1) with { Version = "1.9" }, At(2) with { Version = "2.0.1" }, At(3) with { Version = "20" }]);
        var wish = Wish(InstanceChoice.PowerOfTwo) with { Version = "2" };
        var required = wish with { Policy = ChoicePolicy.Usual with { RequireVersion = true } };

        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(2, Port(list, wish)));
        for (var i = 0; i < 2; i++) list.Callable[1].Learn(CallOutcome.ConnectFailed);
        Assert.DoesNotContain(2, Enumerable.Range(0, 100).Select(_ => Port(list, wish)));
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(2, Port(list, required)));
        Assert.Null(list.Choose(required with { Version = "3" }, out _));
        Assert.NotNull(list.Choose(wish with { Version = "3" }, out _));
    }

    private static double Share(CallableList list, InstanceWish wish, int port) =>
        Enumerable.Range(0, Draws).Count(_ => Port(list, wish) == port) / (double)Draws;

    private static int Port(CallableList list, in InstanceWish wish) =>
        list.Choose(wish, out _)?.Port ?? throw new InvalidOperationException("Nobody was chosen.");

    private static InstanceWish Wish(InstanceChoice choice) =>
        new(ChoicePolicy.Usual with { Choice = choice }, "http", Repeatable: true);

    private static InstanceWish Hash(string key) =>
        Wish(InstanceChoice.ConsistentHash) with { Key = StableHash.Of(key) };

    private static InstanceDocument At(int port, int weight = 100) =>
        new("catalog", "127.0.0.1", port, Id: $"catalog-{port}", Weight: weight);

    private static ServiceDocument Document(InstanceDocument[] instances) =>
        new("default", "default", "catalog", 1, "store", false, instances);

    private CallableList List(InstanceDocument[] instances, string? zone = null) =>
        CallableList.From(Document(instances), null, zone, time);
}

using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Tests.Gateway.Delivery;

public sealed class DeliveriesTests
{
    private static readonly SplitSpec NinetyTen = new(
        [new SplitPart(90, "catalog", Version: "1"), new SplitPart(10, "catalog", Version: "2")]);

    private readonly Random random = new(7);

    [Fact]
    public void A_split_shares_out_by_weight()
    {
        var spec = new RouteSpec(All, Split: NinetyTen);
        var counts = Enumerable.Range(0, 10_000).CountBy(_ => Choose(spec)).ToDictionary();
        Assert.InRange(counts["default/catalog (version 2)"], 850, 1_150);
        Assert.Equal(2, counts.Count);
    }

    [Fact]
    public void A_split_by_a_key_keeps_each_caller_at_its_part()
    {
        var spec = new RouteSpec(All, Split: NinetyTen with { By = "cookie:user" });
        var parts = Enumerable.Range(0, 2_000).ToDictionary(user => user, user => Choose(spec, User(user)));
        Assert.InRange(parts.Values.Count(part => part.Contains('2')), 130, 270);
        for (var user = 0; user < 2_000; user++) Assert.Equal(parts[user], Choose(spec, User(user)));
        // The smaller part of a larger one is larger, and has everybody that it had.
        var half = spec with { Split = new SplitSpec(
            [new SplitPart(10, "catalog", Version: "2"), new SplitPart(90, "catalog", Version: "1")], "cookie:user") };
        var more = spec with { Split = new SplitSpec(
            [new SplitPart(50, "catalog", Version: "2"), new SplitPart(50, "catalog", Version: "1")], "cookie:user") };
        for (var user = 0; user < 2_000; user++)
            if (Choose(half, User(user)).Contains('2')) Assert.Contains("2", Choose(more, User(user)));
    }

    [Fact]
    public void A_part_of_weight_0_gets_nothing()
    {
        var spec = new RouteSpec(All, Split: new SplitSpec(
            [new SplitPart(0, "catalog", Version: "2"), new SplitPart(1, "catalog", Version: "1")]));
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal("default/catalog (version 1)", Choose(spec)));
    }

    [Fact]
    public void The_first_canary_rule_that_holds_takes_the_request()
    {
        var spec = new RouteSpec(All, "catalog", Canary:
        [
            new CanarySpec(Upstream: "legacy", Headers: [new("X-Beta", ["off"])]),
            new CanarySpec("catalog", Version: "2", Headers: [new("X-Beta", Present: true)]),
            new CanarySpec("catalog", Version: "3", Cookies: [new("group", ["staff"])], Percent: 100),
        ]);
        Assert.Equal("default/catalog", Choose(spec));
        Assert.Equal("upstream default/legacy", Choose(spec, new HeldFields().With("X-Beta", "off")));
        Assert.Equal("default/catalog (version 2)", Choose(spec, new HeldFields().With("X-Beta", "on")));
        Assert.Equal("default/catalog (version 3)", Choose(spec, new HeldFields().With("Cookie", "a=b; group=staff")));
    }

    [Fact]
    public void A_percentage_of_users_stays_inside_as_it_grows()
    {
        var sizes = new List<int>();
        var inside = new HashSet<int>();
        foreach (var percent in new[] { 1.0, 5, 25, 50, 100 })
        {
            var spec = new RouteSpec(All, "catalog", Canary:
                [new CanarySpec("catalog", Version: "2", Percent: percent, By: "cookie:user")]);
            var now = Enumerable.Range(0, 4_000).Where(user => Choose(spec, User(user)).Contains('2')).ToHashSet();
            Assert.Subset(now, inside);
            inside = now;
            sizes.Add(now.Count);
        }
        Assert.InRange(sizes[0], 20, 65);
        Assert.InRange(sizes[2], 900, 1_100);
        Assert.Equal(4_000, sizes[^1]);
    }

    [Fact]
    public void A_percentage_without_a_key_is_chance()
    {
        var spec = new RouteSpec(All, "catalog", Canary: [new CanarySpec("catalog", Version: "2", Percent: 12.5)]);
        Assert.InRange(Enumerable.Range(0, 8_000).Count(_ => Choose(spec).Contains('2')), 880, 1_120);
    }

    private static MatchSpec All => new(["*"], "/**");

    private static HeldFields User(int user) => new HeldFields().With("Cookie", $"user=u{user}");

    private string Choose(RouteSpec spec, HeldFields? fields = null)
    {
        var route = Routes.Make("r", spec);
        var view = Routes.Request("GET", "a.test", "/", fields: fields);
        var match = RouteTable.Empty.With([], [route]).Match(view);
        return route.Deliveries!.Choose(view, match.Parameters, random).Name; // It leads somewhere.
    }
}

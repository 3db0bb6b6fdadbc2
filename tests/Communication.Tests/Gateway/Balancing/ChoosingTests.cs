using System.Net;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Balancing;

/// <summary>The ways to choose, each through an upstream that asks for it.</summary>
public sealed class ChoosingTests : IDisposable
{
    private readonly HeldServices registry = new();
    private readonly HeldSnapshots snapshots = new();
    private readonly ManualTimeProvider time = new();
    private readonly UpstreamTable table;
    private readonly InstanceChooser chooser;
    private readonly Target target = Target.TryMake(null, "up", "default")!; // Well formed.

    public ChoosingTests()
    {
        table = new UpstreamTable(snapshots, TestUpstreams.Parts(time));
        chooser = new InstanceChooser(
            registry, table, new GatewayOptions { Zone = "east", MaxRequestsPerInstance = 100 }, time, new Random(5));
    }

    public void Dispose() => table.Dispose();

    [Fact]
    public void Round_robin_of_weights_3_2_1_gives_exactly_300_200_100_of_600()
    {
        Put(new ChoiceSpec("round-robin"), ("a:1", 3), ("b:1", 2), ("c:1", 1));
        var counts = Count(600);
        Assert.Equal((300, 200, 100), (counts["a:1"], counts["b:1"], counts["c:1"]));
    }

    [Fact]
    public void Round_robin_passes_over_who_is_left_out()
    {
        Put(new ChoiceSpec("round-robin"), ("a:1", 1), ("b:1", 1), ("c:1", 1));
        Eject("b:1");
        var counts = Count(300);
        Assert.False(counts.ContainsKey("b:1"));
        Assert.InRange(counts["a:1"], 90, 210);
    }

    [Fact]
    public void Least_requests_fills_up_by_weight()
    {
        Put(new ChoiceSpec("least-requests"), ("a:1", 100), ("b:1", 300));
        var held = Enumerable.Range(0, 40).Select(_ => Choose()).CountBy(call => call.Upstream.Key.Id).ToDictionary();
        Assert.Equal((10, 30), (held["a:1"], held["b:1"]));
    }

    [Fact]
    public void Fastest_keeps_away_from_who_answers_late()
    {
        Put(new ChoiceSpec("fastest"), ("a:1", 100), ("b:1", 100));
        for (var round = 0; round < 20; round++)
        {
            var call = Choose();
            call.Asked(time.GetTimestamp());
            time.Advance(TimeSpan.FromMilliseconds(call.Upstream.Key.Id == "a:1" ? 5 : 200));
            call.Heard(true, time.GetTimestamp());
            call.End();
        }
        Assert.Equal(["a:1"], Count(100).Keys);
        // Busy enough, and the slow one is the quicker way.
        var held = Enumerable.Range(0, 80).Select(_ => Choose().Upstream.Key.Id).ToList();
        Assert.Contains("b:1", held);
    }

    [Fact]
    public void Random_follows_the_weights()
    {
        Put(new ChoiceSpec("random"), ("a:1", 100), ("b:1", 300));
        Assert.InRange(Count(4_000)["b:1"], 2_800, 3_200);
    }

    [Fact]
    public void Hash_sends_a_key_to_one_and_the_same_until_that_one_leaves()
    {
        Put(new ChoiceSpec("hash", "header:X-User"), ("a:1", 100), ("b:1", 100), ("c:1", 100));
        var homes = Enumerable.Range(0, 200).ToDictionary(user => user, user => Home($"user-{user}"));
        Assert.Equal(3, homes.Values.Distinct().Count());
        for (var user = 0; user < 200; user++) Assert.Equal(homes[user], Home($"user-{user}"));
        Eject("b:1");
        for (var user = 0; user < 200; user++)
        {
            if (homes[user] == "b:1") Assert.NotEqual("b:1", Home($"user-{user}"));
            else Assert.Equal(homes[user], Home($"user-{user}"));
        }
        // Without the key there is nothing to hold on to.
        Assert.True(Count(100).Count == 2);
    }

    [Fact]
    public void Hash_of_the_client_is_the_default_and_of_a_path_parameter_goes_by_the_route()
    {
        Put(new ChoiceSpec("hash"), ("a:1", 100), ("b:1", 100), ("c:1", 100));
        var homes = Enumerable.Range(1, 50).Select(host => Home(client: $"10.0.0.{host}")).Distinct();
        Assert.Equal(3, homes.Count());
        Assert.Single(Enumerable.Range(0, 50).Select(_ => Home(client: "10.0.0.1")).Distinct());

        Put(new ChoiceSpec("hash", "path:id"), ("a:1", 100), ("b:1", 100), ("c:1", 100));
        Assert.Single(Enumerable.Range(0, 50).Select(_ => Home(path: "/orders/7")).Distinct());
        Assert.Equal(3, Enumerable.Range(0, 50).Select(id => Home(path: $"/orders/{id}")).Distinct().Count());
    }

    [Fact]
    public void The_own_zone_goes_first_while_somebody_in_it_can_be_called()
    {
        Put(new UpstreamSpec(
            Addresses: [new("a:1", Zone: "east"), new("b:1", Zone: "west"), new("c:1", Zone: "east")],
            Choose: new ChoiceSpec(ZoneFirst: true)));
        Assert.Equal(["a:1", "c:1"], Count(200).Keys.Order());
        Eject("a:1");
        Assert.Equal(["c:1"], Count(200).Keys);
        Eject("c:1");
        Assert.Equal(["b:1"], Count(200).Keys);
    }

    [Fact]
    public void A_higher_tier_is_called_only_while_nobody_of_the_lower_can_be()
    {
        Put(new UpstreamSpec(Addresses: [new("a:1", Tier: 0), new("b:1", Tier: 1), new("c:1", Tier: 1)]));
        Assert.Equal(["a:1"], Count(200).Keys);
        Eject("a:1");
        Assert.Equal(["b:1", "c:1"], Count(200).Keys.Order());
        time.Advance(TimeSpan.FromSeconds(2));
        var trial = Choose();
        trial.Upstream.Ejection.Succeed();
        trial.End();
        Assert.Equal(["a:1"], Count(200).Keys);
    }

    [Fact]
    public void A_new_one_grows_into_its_share()
    {
        var choice = new ChoiceSpec("random", SlowStartSeconds: 100);
        Put(choice, ("a:1", 100), ("b:1", 100));
        Count(1);
        Put(choice, ("a:1", 100), ("b:1", 100), ("c:1", 100));
        var first = Count(3_000)["c:1"];
        time.Advance(TimeSpan.FromSeconds(50));
        var half = Count(3_000)["c:1"];
        time.Advance(TimeSpan.FromSeconds(50));
        var whole = Count(3_000)["c:1"];
        Assert.InRange(first, 50, 250);
        Assert.InRange(half, 400, 850);
        Assert.InRange(whole, 850, 1_150);
    }

    [Fact]
    public void No_more_than_the_cap_are_left_out()
    {
        Put(new UpstreamSpec(
            Addresses: [new("a:1"), new("b:1"), new("c:1"), new("d:1")], Ejection: new EjectionSpec(MaxPercent: 50)));
        foreach (var name in new[] { "a:1", "b:1" }) Eject(name);
        var third = Hold("c:1");
        for (var failure = 0; failure < 5; failure++) Assert.Null(third.Upstream.Ejection.Fail());
        Assert.Contains("d:1", Count(100).Keys);
    }

    [Fact]
    public void When_too_few_are_left_all_are_called()
    {
        Put(new UpstreamSpec(
            Addresses: [new("a:1"), new("b:1"), new("c:1"), new("d:1")], Ejection: new EjectionSpec(PanicPercent: 50)));
        Eject("a:1");
        Eject("b:1");
        Assert.Equal(2, Count(400).Count);
        Eject("c:1");
        Assert.Equal(4, Count(400).Count);
    }

    [Fact]
    public void An_upstreams_own_limits_hold_for_it()
    {
        Put(new UpstreamSpec(
            Addresses: [new("a:1"), new("b:1")], Ejection: new EjectionSpec(Failures: 3, FirstSeconds: 7)));
        var call = Hold("a:1");
        Assert.Null(call.Upstream.Ejection.Fail());
        Assert.Null(call.Upstream.Ejection.Fail());
        Assert.Equal(TimeSpan.FromSeconds(7), call.Upstream.Ejection.Fail());
    }

    [Fact]
    public void A_sticky_client_stays_until_its_instance_is_gone()
    {
        var spec = new UpstreamSpec(Addresses: [new("a:1"), new("b:1"), new("c:1")], Sticky: new StickySpec("gw"));
        Put(spec);
        var destination = Decide();
        var first = Take(destination);
        var cookie = chooser.CookieFor(destination, first);
        Assert.NotNull(cookie);
        var fields = new HeldFields().With("cookie", cookie[..cookie.IndexOf(';')]);
        for (var request = 0; request < 50; request++)
        {
            var again = Decide(fields: fields);
            Assert.Same(first, Take(again));
            Assert.Null(chooser.CookieFor(again, first)); // It has it.
        }
        Put(spec with { Addresses = [.. spec.Addresses!.Where(one => one.Address != first.Key.Id)] });
        var later = Decide(fields: fields);
        var heir = Take(later);
        Assert.NotEqual(first.Key, heir.Key);
        Assert.NotNull(chooser.CookieFor(later, heir));
    }

    [Fact]
    public void A_version_and_metadata_choose_some_of_a_service()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100));
        registry.Describe("service", "b:1", version: "2", metadata: ("track", "beta"));
        Assert.Equal(["b:1"], Chosen(Target.TryMake("service", null, "default", "2")!)); // Well formed.
        Assert.Equal(["b:1"], Chosen(Target.TryMake("service", null, "default", null,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["track"] = "beta" })!));
        Assert.Equal("no_instance", chooser.Choose(
            new Destination(Target.TryMake("service", null, "default", "3")!, null, null), true, time.GetTimestamp())
            .Fault!.Error.Code);

        IEnumerable<string> Chosen(Target some) => Enumerable.Range(0, 50)
            .Select(_ => Choose(some).Upstream.Key.Id).Distinct();
    }

    [Fact]
    public void An_upstream_that_is_not_there_has_no_instance() =>
        Assert.Equal("no_instance", chooser.Choose(Decide(), true, time.GetTimestamp()).Fault!.Error.Code);

    private void Put(ChoiceSpec choice, params (string Address, int Weight)[] addresses) => Put(new UpstreamSpec(
        Addresses: [.. addresses.Select(one => new UpstreamAddress(one.Address, one.Weight))], Choose: choice));

    private void Put(UpstreamSpec spec) => snapshots.Put(TestUpstreams.Resource("up", spec));

    private Destination Decide(
        string? user = null, string client = "127.0.0.1", string path = "/orders/1", HeldFields? fields = null)
    {
        var route = Routes.Make("r", "/orders/{id}", ["*"]);
        if (user is not null) fields = new HeldFields().With("X-User", user);
        var view = Routes.Request("GET", "localhost", path, fields: fields, client: client);
        return chooser.Decide(target, view, RouteTable.Empty.With([], [route]).Match(view).Parameters, route.Path);
    }

    private string Home(string? user = null, string client = "127.0.0.1", string path = "/orders/1") =>
        Take(Decide(user, client, path)).Key.Id;

    private Upstream Take(in Destination destination)
    {
        var call = chooser.Choose(destination, true, time.GetTimestamp()).Value;
        call.End();
        return call.Upstream;
    }

    private UpstreamCall Choose() => Choose(target);

    private UpstreamCall Choose(Target some) =>
        chooser.Choose(new Destination(some, null, null), true, time.GetTimestamp()).Value;

    private Dictionary<string, int> Count(int requests)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var request = 0; request < requests; request++)
        {
            var call = Choose();
            counts[call.Upstream.Key.Id] = counts.GetValueOrDefault(call.Upstream.Key.Id) + 1;
            call.End();
        }
        return counts;
    }

    private UpstreamCall Hold(string name)
    {
        for (var round = 0; round < 10_000; round++)
        {
            var call = Choose();
            if (call.Upstream.Key.Id == name) return call;
            call.End();
        }
        throw new InvalidOperationException($"{name} was never chosen.");
    }

    private void Eject(string name)
    {
        var call = Hold(name);
        call.End();
        while (call.Upstream.Ejection.Fail() is null)
        {
            // One failure is chance.
        }
    }
}

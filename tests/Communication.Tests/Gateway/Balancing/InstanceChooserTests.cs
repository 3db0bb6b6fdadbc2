using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Balancing;

public sealed class InstanceChooserTests
{
    private readonly HeldServices registry = new();
    private readonly ManualTimeProvider time = new();
    private readonly InstanceChooser chooser;

    public InstanceChooserTests() =>
        chooser = new InstanceChooser(
            registry, NoUpstreams, new GatewayOptions { MaxRequestsPerInstance = 100 }, time, new Random(5));

    private UpstreamTable NoUpstreams => new(new HeldSnapshots(), TestUpstreams.Parts(time));

    [Fact]
    public void A_service_that_nobody_knows_or_that_is_empty_has_no_instance()
    {
        Assert.Equal("no_instance", chooser.Choose(To("service"), true, time.GetTimestamp()).Fault!.Error.Code);
        registry.Set("service");
        Assert.Equal("no_instance", chooser.Choose(To("service"), true, time.GetTimestamp()).Fault!.Error.Code);
    }

    [Fact]
    public void Idle_instances_get_requests_by_weight()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 300), ("c", 1, 600));
        var counts = Count(10_000);
        Assert.InRange(counts["a"], 700, 1_300);
        Assert.InRange(counts["b"], 2_600, 3_400);
        Assert.InRange(counts["c"], 5_500, 6_500);
    }

    [Fact]
    public void The_less_loaded_of_two_is_chosen()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100));
        var held = Enumerable.Range(0, 10).Select(_ => Choose()).ToList();
        Assert.Equal(5, held.Count(call => call.Upstream.Key.Id == "a:1"));
        foreach (var call in held.Where(call => call.Upstream.Key.Id == "a:1")) call.End();
        Assert.All(Enumerable.Range(0, 5), _ => Assert.Equal("a:1", Choose().Upstream.Key.Id));
    }

    [Fact]
    public void An_ejected_instance_gets_nothing_until_its_time_is_over()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100), ("c", 1, 100));
        Eject("a");
        Assert.DoesNotContain("a", Count(1_000).Keys);

        time.Advance(TimeSpan.FromSeconds(2));
        // On trial: one at a time, and only what can be repeated elsewhere.
        Assert.DoesNotContain("a", Count(1_000, repeatable: false).Keys);
        var held = Enumerable.Range(0, 60).Select(_ => Choose()).ToList();
        Assert.Single(held, call => call.Upstream.Key.Id == "a:1");
    }

    [Fact]
    public void A_silent_instance_gets_one_request_at_a_time_that_can_be_repeated()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100));
        var stuck = Hold("a");
        stuck.Asked(time.GetTimestamp());
        for (var place = 0; place < 5; place++) Hold("b"); // So that its load is not what keeps requests away from a.
        Assert.Contains("a", Count(1_000, repeatable: false).Keys);

        time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.DoesNotContain("a", Count(1_000, repeatable: false).Keys);
        var held = Enumerable.Range(0, 60).Select(_ => Choose()).ToList();
        var probe = Assert.Single(held, call => call.Upstream.Key.Id == "a:1");
        Assert.NotEqual("a:1", Choose().Upstream.Key.Id);

        // Any beginning of an answer ends the doubt, while the first request still waits.
        probe.Asked(time.GetTimestamp());
        probe.Heard(true, time.GetTimestamp());
        Assert.Contains("a", Count(1_000, repeatable: false).Keys);
        stuck.Heard(false, time.GetTimestamp());
    }

    [Fact]
    public void When_all_are_silent_all_are_called()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100));
        Hold("a").Asked(time.GetTimestamp());
        Hold("b").Asked(time.GetTimestamp());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, Count(100, repeatable: false).Count);
    }

    [Fact]
    public void A_suspect_is_called_with_anything_where_the_other_is_ejected()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100));
        Eject("a");
        Hold("b").Upstream.Ejection.Fail();
        Assert.Equal(["b"], Count(100, repeatable: false).Keys);
    }

    [Fact]
    public void A_trial_ends_with_the_beginning_of_its_answer()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100));
        Eject("a");
        time.Advance(TimeSpan.FromSeconds(2));
        var trial = Hold("a");
        trial.Asked(time.GetTimestamp());
        for (var place = 0; place < 5; place++) Hold("b");
        Assert.DoesNotContain("a", Count(1_000).Keys);
        trial.Heard(true, time.GetTimestamp()); // And its body takes for ever.
        Assert.Contains("a", Count(1_000).Keys);
    }

    [Fact]
    public void When_all_are_ejected_all_are_tried()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100));
        Eject("a");
        Eject("b");
        Assert.Equal(2, Count(100).Count);
    }

    [Fact]
    public void The_last_instance_is_never_left_out()
    {
        registry.Set("service", ("a", 1, 100));
        Eject("a");
        Assert.Equal(10, Count(10)["a"]);
    }

    [Fact]
    public void A_second_attempt_goes_elsewhere_or_nowhere()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100));
        var first = Choose();
        Assert.NotEqual(first.Upstream.Key, chooser.Choose(To("service"), true, time.GetTimestamp(), first.Upstream)
            .Value.Upstream.Key);
        registry.Set("service", ("a", 1, 100));
        var only = Choose();
        Assert.False(chooser.Choose(To("service"), true, time.GetTimestamp(), only.Upstream).Succeeded);
    }

    [Fact]
    public void A_full_instance_is_passed_over_and_a_full_service_says_so()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 1));
        for (var request = 0; request < 200; request++) Choose();
        var fault = chooser.Choose(To("service"), true, time.GetTimestamp()).Fault!;
        Assert.Equal("upstream_busy", fault.Error.Code);
        Assert.NotNull(fault.RetryAfter);
    }

    [Fact]
    public void What_is_known_of_an_instance_outlives_a_change_of_the_others()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100));
        Eject("a");
        registry.Set("service", ("a", 1, 100), ("b", 1, 100), ("c", 1, 100));
        Assert.DoesNotContain("a", Count(1_000).Keys);
    }

    [Fact]
    public void Places_are_neither_lost_nor_given_twice_under_contention()
    {
        registry.Set("service", ("a", 1, 100), ("b", 1, 100));
        var most = 0;
        var shared = new InstanceChooser(
            registry, NoUpstreams, new GatewayOptions { MaxRequestsPerInstance = 3 }, time, Random.Shared);
        Parallel.For(0, 20_000, _ =>
        {
            if (!shared.Choose(To("service"), true, time.GetTimestamp()).TryGet(out var call, out var _)) return;
            var now = call.Upstream.UnderWay;
            for (var seen = most; now > seen && Interlocked.CompareExchange(ref most, now, seen) != seen; seen = most)
                { }
            call.End();
        });
        var left = new[] { shared.Choose(To("service"), true, time.GetTimestamp())
            .Value, shared.Choose(To("service"), true, time.GetTimestamp()).Value };
        Assert.All(left, call => Assert.Equal(1, call.Upstream.UnderWay));
    }

    private static Destination To(string service) =>
        new(Target.TryMake(service, null, "default")!, null, null); // Well formed.

    private UpstreamCall Choose(bool repeatable = true) =>
        chooser.Choose(To("service"), repeatable, time.GetTimestamp()).Value;

    private Dictionary<string, int> Count(int requests, bool repeatable = true)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var request = 0; request < requests; request++)
        {
            var call = Choose(repeatable);
            var name = call.Upstream.Key.Id[..1];
            counts[name] = counts.GetValueOrDefault(name) + 1;
            call.End();
        }
        return counts;
    }

    /// <summary>A place at this instance.</summary>
    private UpstreamCall Hold(string name)
    {
        var others = new List<UpstreamCall>();
        var call = Choose();
        // The others' places are kept meanwhile, so that their load sends the next one here.
        for (; call.Upstream.Key.Id[..1] != name; call = Choose()) others.Add(call);
        foreach (var other in others) other.End();
        return call;
    }

    private void Eject(string name)
    {
        for (var round = 0; round < 1_000; round++)
        {
            var call = Choose();
            call.End();
            if (call.Upstream.Key.Id[..1] != name) continue;
            if (call.Upstream.Ejection.Fail() is not null) return;
        }
        Assert.Fail($"{name} was never chosen twice.");
    }
}

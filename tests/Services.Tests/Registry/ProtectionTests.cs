using Groundwork.Services.Registry;

namespace Groundwork.Services.Tests.Registry;

public sealed class ProtectionTests
{
    [Fact]
    public void Mass_expiry_empties_no_list()
    {
        var leased = new LeasedRegistry();
        leased.Register(10);
        leased.PassSeconds(60);
        Assert.Equal(10, leased.Ids().Length);
        Assert.Equal(10, leased.Callable().Length);
        Assert.True(leased.View().Protection);
        Assert.Equal("0 of 10 instances are healthy, below the protection threshold of 50 %: all stay callable",
            leased.View().ProtectionReason);
        Assert.Equal(InstanceRegistry.HeldByProtection, leased.View().Instances[0].Health.Reason);
        Assert.Contains("held i000", leased.Events());
    }

    [Fact]
    public void Mass_expiry_that_comes_in_one_by_one_empties_no_list_either()
    {
        var leased = new LeasedRegistry();
        for (var at = 0; at < 20; at++)
        {
            leased.Register($"i{at:000}");
            leased.PassSeconds(0.2);
        }
        leased.PassSeconds(120);
        Assert.InRange(leased.Ids().Length, 15, 20);
        Assert.Equal(leased.Ids(), leased.Callable());
        Assert.True(leased.View().Protection);
    }

    [Fact]
    public void Last_instance_really_deregistered_empties_the_list_with_a_reason()
    {
        var leased = new LeasedRegistry();
        leased.Register("a");
        leased.Registry.Deregister(LeasedRegistry.Key("a"), null, "test");
        Assert.Empty(leased.Ids());
        Assert.Equal("the last instance, a: deregistered", leased.View().EmptyReason);
        Assert.Equal(["registered a", "deregistered a"], leased.Events());
    }

    [Fact]
    public void Deregistering_works_under_protection()
    {
        var leased = new LeasedRegistry();
        leased.Register(2);
        leased.PassSeconds(60);
        leased.Registry.Deregister(LeasedRegistry.Key("i000"), null, "test");
        leased.Registry.Deregister(LeasedRegistry.Key("i001"), null, "test");
        Assert.Empty(leased.Ids());
    }

    [Fact]
    public void Half_may_go_and_one_more_may_not()
    {
        var leased = new LeasedRegistry();
        leased.Register(4);
        leased.PassRenewing(60, "i000", "i001");
        Assert.Equal(["i000", "i001"], leased.Ids());
        Assert.False(leased.View().Protection);

        var other = new LeasedRegistry();
        other.Register(4);
        other.PassRenewing(60, "i000");
        Assert.Equal(4, other.Ids().Length);
        Assert.True(other.View().Protection);
    }

    [Fact]
    public void Expired_instance_that_waits_for_eviction_takes_no_calls()
    {
        var leased = new LeasedRegistry();
        leased.Register(10);
        var live = Enumerable.Range(0, 6).Select(at => $"i{at:000}").ToArray();
        leased.PassRenewing(15.4, live);
        // Four expired at once; one of ten may go in the first sweep.
        Assert.Equal(9, leased.Ids().Length);
        Assert.Equal(live, leased.Callable());
        Assert.Equal(InstanceRegistry.WaitsForEviction, leased.View().Instances[^1].Health.Reason);
        leased.PassRenewing(20, live);
        Assert.Equal(live, leased.Ids());
    }

    [Fact]
    public void At_most_the_share_of_a_sweep_is_evicted_over_all_services()
    {
        var leased = new LeasedRegistry();
        for (var service = 0; service < 20; service++)
            leased.Register(2, $"s{service:00}");
        // One of the two of each service dies: 20 of 40, of which 6 may go in a sweep.
        for (var passed = 0; passed < 3; passed++)
        {
            for (var service = 0; service < 20; service++)
                leased.Registry.Renew(LeasedRegistry.Key("i000", $"s{service:00}"), null);
            leased.PassSeconds(passed == 2 ? 5.4 : 5);
        }
        Assert.Equal(34, leased.Registry.InstanceCount);
        Assert.All(Enumerable.Range(0, 20), service => Assert.Equal(["i000"], leased.Callable($"s{service:00}")));
    }

    [Fact]
    public void Renewal_ends_protection()
    {
        var leased = new LeasedRegistry();
        leased.Register(3);
        leased.PassSeconds(30);
        Assert.True(leased.View().Protection);
        leased.PassRenewing(20, "i000", "i001");
        Assert.False(leased.View().Protection);
        Assert.Equal(["i000", "i001"], leased.Ids());
        Assert.Contains("renewed i000", leased.Events());
    }

    [Fact]
    public void Protection_ends_after_its_longest_time_and_then_says_so()
    {
        var leased = new LeasedRegistry(new RegistryOptions { ProtectionHold = TimeSpan.FromMinutes(2) });
        leased.Register("a");
        leased.PassSeconds(120);
        Assert.Equal(["a"], leased.Callable());
        leased.PassSeconds(30);
        Assert.Empty(leased.Ids());
        Assert.Equal("the last instance, a: the lease ran out", leased.View().EmptyReason);
    }

    [Fact]
    public void Threshold_0_turns_protection_off()
    {
        var leased = new LeasedRegistry(new RegistryOptions { ProtectionThreshold = 0 });
        leased.Register(2);
        leased.PassSeconds(60);
        Assert.Empty(leased.Ids());
    }
}

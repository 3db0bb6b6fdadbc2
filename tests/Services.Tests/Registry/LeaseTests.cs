using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Services.Tests.Registry;

public sealed class LeaseTests
{
    [Fact]
    public void Registered_instance_is_listed_and_callable()
    {
        var leased = new LeasedRegistry();
        var answer = leased.Register("a");
        Assert.Equal("a", answer.Id);
        Assert.Equal(15, answer.LeaseSeconds);
        Assert.Equal(["a"], leased.Callable());
        Assert.Equal(leased.View().Index, answer.Index);
    }

    [Fact]
    public void Id_is_derived_from_host_port_and_cluster()
    {
        var leased = new LeasedRegistry();
        Assert.Equal("10.0.0.1:8080", leased.Register(new("orders", "10.0.0.1", 8080)).Id);
        Assert.Equal("10.0.0.1:8080:blue", leased.Register(new("orders", "10.0.0.1", 8080, Cluster: "blue")).Id);
    }

    [Fact]
    public void Expired_lease_removes_the_instance()
    {
        var leased = new LeasedRegistry();
        leased.Register(4);
        leased.PassRenewing(16, "i001", "i002", "i003");
        Assert.Equal(["i001", "i002", "i003"], leased.Ids());
        Assert.Contains("expired i000", leased.Events());
    }

    [Fact]
    public void Lease_lasts_as_long_as_it_says_and_no_longer_than_a_tick_more()
    {
        var leased = new LeasedRegistry();
        leased.Register(4);
        // More than one turn of the wheel.
        leased.Register(LeasedRegistry.Document("long") with { LeaseSeconds = 150 });
        var others = new[] { "i000", "i001", "i002", "i003" };
        leased.PassRenewing(149.8, others);
        Assert.Contains("long", leased.Ids());
        leased.PassSeconds(0.4);
        Assert.DoesNotContain("long", leased.Ids());
    }

    [Fact]
    public void Renewed_instance_stays_without_a_new_index()
    {
        var leased = new LeasedRegistry();
        leased.Register(2);
        var index = leased.View().Index;
        leased.PassRenewing(300, "i000", "i001");
        Assert.Equal(["i000", "i001"], leased.Ids());
        Assert.Equal(index, leased.View().Index);
    }

    [Fact]
    public void Renewal_of_an_unknown_instance_says_to_register_again()
    {
        var leased = new LeasedRegistry();
        Assert.Equal(ErrorCodes.InstanceNotFound, leased.Registry.Renew(LeasedRegistry.Key("a"), null));
    }

    [Fact]
    public void Persistent_instance_never_expires()
    {
        var leased = new LeasedRegistry();
        leased.Register(LeasedRegistry.Document("a") with { Ephemeral = false });
        leased.PassSeconds(600);
        Assert.Equal(["a"], leased.Callable());
        Assert.Null(leased.Registry.ExpiresAt(leased.View().Instances[0]));
    }

    [Fact]
    public void Shortened_lease_counts_from_the_registration_that_shortens_it()
    {
        var leased = new LeasedRegistry();
        leased.Register(3);
        leased.Register(LeasedRegistry.Document("s") with { LeaseSeconds = 3600 });
        leased.Register(LeasedRegistry.Document("s") with { LeaseSeconds = 5 });
        leased.PassRenewing(5.4, "i000", "i001", "i002");
        Assert.DoesNotContain("s", leased.Ids());
    }

    [Fact]
    public void Registering_the_same_again_is_a_renewal_and_no_change()
    {
        var leased = new LeasedRegistry();
        var first = leased.Register("a");
        leased.PassSeconds(10);
        var again = leased.Register("a");
        Assert.Equal(first.Index, again.Index);
        Assert.Equal(first.Incarnation, again.Incarnation);
        leased.PassSeconds(10);
        Assert.Equal(["a"], leased.Ids());
        Assert.Equal(["registered a"], leased.Events());
    }

    [Fact]
    public void Registering_something_else_under_the_id_is_an_update()
    {
        var leased = new LeasedRegistry();
        var first = leased.Register("a");
        var second = leased.Register(LeasedRegistry.Document("a") with { Weight = 5 });
        Assert.True(second.Index > first.Index);
        Assert.Equal(5, Assert.Single(leased.View().Instances).Weight);
    }

    [Fact]
    public void Registration_without_an_incarnation_is_the_newer_though_the_clock_went_back()
    {
        var leased = new LeasedRegistry();
        var first = leased.Register("a").Incarnation;
        leased.Time.ShiftWallClock(-TimeSpan.FromMinutes(1)); // Or it came by a node whose clock is ahead.
        var second = leased.Register(LeasedRegistry.Document("a") with { Weight = 7 }).Incarnation;
        Assert.True(second > first);
        Assert.Equal(7, leased.View().Instances[0].Weight);
    }

    [Fact]
    public void Deregistered_instance_is_gone_and_a_second_time_is_right_too()
    {
        var leased = new LeasedRegistry();
        leased.Register(2);
        var index = leased.View().Index;
        Assert.Null(leased.Registry.Deregister(LeasedRegistry.Key("i000"), null, "test"));
        Assert.Null(leased.Registry.Deregister(LeasedRegistry.Key("i000"), null, "test"));
        Assert.Equal(["i001"], leased.Ids());
        Assert.True(leased.View().Index > index);
    }

    [Fact]
    public void Older_incarnation_can_neither_renew_nor_deregister_nor_register()
    {
        var leased = new LeasedRegistry();
        leased.Register(LeasedRegistry.Document("a") with { Incarnation = 200 });
        Assert.Equal(ErrorCodes.IncarnationOlder, leased.Registry.Renew(LeasedRegistry.Key("a"), 100));
        Assert.Equal(
            ErrorCodes.IncarnationOlder, leased.Registry.Deregister(LeasedRegistry.Key("a"), 100, "test")?.Error);
        var refused = leased.TryRegister(LeasedRegistry.Document("a") with { Incarnation = 100 });
        Assert.Equal(ErrorCodes.IncarnationOlder, refused.Fault?.Error);
        Assert.Equal("200", refused.Fault?.Extensions["incarnation"]);
        Assert.Equal(["a"], leased.Ids());
    }

    [Fact]
    public void Renewal_of_a_newer_incarnation_must_register_first()
    {
        var leased = new LeasedRegistry();
        leased.Register(LeasedRegistry.Document("a") with { Incarnation = 100 });
        Assert.Equal(ErrorCodes.InstanceNotFound, leased.Registry.Renew(LeasedRegistry.Key("a"), 200));
        Assert.Null(leased.Registry.Renew(LeasedRegistry.Key("a"), 100));
    }

    [Fact]
    public void Drained_instance_is_listed_and_not_callable_and_its_heartbeat_does_not_undo_it()
    {
        var leased = new LeasedRegistry();
        leased.Register(LeasedRegistry.Document("a") with { Incarnation = 1 });
        leased.Register("b");
        var before = leased.View().Index;
        var index = leased.Registry.Drain(LeasedRegistry.Key("a"), "test").Value;
        Assert.True(index > before);
        leased.Register(LeasedRegistry.Document("a") with { Incarnation = 1 });
        leased.Registry.Renew(LeasedRegistry.Key("a"), 1);
        Assert.Equal(["a", "b"], leased.Ids());
        Assert.Equal(["b"], leased.Callable());
        leased.Register(LeasedRegistry.Document("a") with { Incarnation = 2 });
        Assert.Equal(["a", "b"], leased.Callable());
    }

    [Fact]
    public void Draining_instance_that_falls_silent_goes_whatever_the_threshold()
    {
        var leased = new LeasedRegistry();
        leased.Register("a");
        leased.Registry.Drain(LeasedRegistry.Key("a"), "test");
        leased.PassSeconds(16);
        Assert.Empty(leased.Ids());
    }

    [Theory]
    [InlineData("starting")]
    [InlineData("out-of-service")]
    [InlineData("down")]
    public void Instance_that_is_not_up_is_not_callable(string status)
    {
        var leased = new LeasedRegistry();
        leased.Register(LeasedRegistry.Document("a") with { Status = status });
        Assert.Equal(["a"], leased.Ids());
        Assert.Empty(leased.Callable());
    }

    [Fact]
    public void Weight_0_takes_no_traffic()
    {
        var leased = new LeasedRegistry();
        leased.Register(LeasedRegistry.Document("a") with { Weight = 0 });
        Assert.Empty(leased.Callable());
    }

    [Fact]
    public void Critical_check_makes_an_instance_unhealthy_until_it_passes()
    {
        var leased = new LeasedRegistry();
        leased.Register("b");
        leased.Register("c");
        var since = leased.Time.GetUtcNow();
        leased.Register(
            LeasedRegistry.Document("a") with { Checks = [new("disk", "critical", since, "instance", "full")] });
        Assert.Equal(["b", "c"], leased.Callable());
        Assert.Equal("check disk is critical: full", leased.View().Instances[0].Health.Reason);
        leased.Register(LeasedRegistry.Document("a") with { Checks = [new("disk", "passing", since, "instance")] });
        Assert.Equal(["a", "b", "c"], leased.Callable());
    }

    [Fact]
    public void Limits_refuse_what_is_over_them()
    {
        var leased = new LeasedRegistry(new RegistryOptions { MaxInstances = 3, MaxServices = 2 });
        leased.Register("a");
        leased.Register("a", "stock");
        Assert.Equal(ErrorCodes.RegistryFull, leased.TryRegister(LeasedRegistry.Document("a", "third")).Fault?.Error);
        leased.Register("b");
        Assert.Equal(ErrorCodes.RegistryFull, leased.TryRegister(LeasedRegistry.Document("c")).Fault?.Error);
        leased.Registry.Deregister(LeasedRegistry.Key("b"), null, "test");
        leased.Register("c");
    }

    [Fact]
    public void Empty_service_is_forgotten_after_an_hour_and_comes_back_above_its_index()
    {
        var leased = new LeasedRegistry();
        leased.Register("a");
        leased.Registry.Deregister(LeasedRegistry.Key("a"), null, "test");
        var index = leased.View().Index;
        leased.PassSeconds(3700);
        Assert.Null(leased.Registry.Find(LeasedRegistry.Orders));
        Assert.True(leased.Registry.UnknownIndex >= index);
        Assert.True(leased.Register("a").Index > leased.Registry.UnknownIndex);
    }
}

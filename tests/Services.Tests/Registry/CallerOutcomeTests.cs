using Groundwork.Services.Registry;

namespace Groundwork.Services.Tests.Registry;

public sealed class CallerOutcomeTests
{
    [Fact]
    public void Three_failed_calls_in_a_row_eject_an_instance_with_the_reason()
    {
        var leased = new LeasedRegistry();
        leased.Register(3);
        Report(leased, "i000", CallOutcome.ConnectFailed, 3);
        leased.PassSeconds(0.2);
        Assert.Equal(["i001", "i002"], leased.Callable());
        Assert.Equal(3, leased.Ids().Length);
        Assert.Equal(HealthCause.Callers, leased.View().Instances[0].Health.Cause);
        Assert.Contains("unhealthy i000", leased.Events());
    }

    [Fact]
    public void Answer_in_between_starts_the_count_again()
    {
        var leased = new LeasedRegistry();
        leased.Register(3);
        Report(leased, "i000", CallOutcome.NoAnswer, 2);
        Report(leased, "i000", CallOutcome.Answered, 1);
        Report(leased, "i000", CallOutcome.NoAnswer, 2);
        leased.PassSeconds(1);
        Assert.Equal(3, leased.Callable().Length);
    }

    [Fact]
    public void Ejection_ends_after_its_time_and_begins_again_with_the_next_failures()
    {
        var leased = new LeasedRegistry();
        leased.Register(3);
        Report(leased, "i000", CallOutcome.ConnectFailed, 3);
        leased.PassRenewing(29, "i000", "i001", "i002");
        Assert.Equal(2, leased.Callable().Length);
        leased.PassRenewing(3, "i000", "i001", "i002");
        Assert.Equal(3, leased.Callable().Length);
        Report(leased, "i000", CallOutcome.ConnectFailed, 3);
        leased.PassSeconds(0.2);
        Assert.Equal(2, leased.Callable().Length);
    }

    [Fact]
    public void Failures_that_go_on_keep_an_instance_ejected()
    {
        var leased = new LeasedRegistry();
        leased.Register(3);
        for (var round = 0; round < 20; round++)
        {
            Report(leased, "i000", CallOutcome.ConnectFailed, 3);
            leased.PassRenewing(5, "i000", "i001", "i002");
            Assert.Equal(["i001", "i002"], leased.Callable());
        }
        Assert.Single(leased.Events(), happened => happened == "unhealthy i000");
    }

    [Fact]
    public void Callers_never_deregister_and_never_take_the_last_half()
    {
        var leased = new LeasedRegistry();
        leased.Register(3);
        foreach (var id in new[] { "i000", "i001", "i002" }) Report(leased, id, CallOutcome.ConnectFailed, 100);
        leased.PassSeconds(1);
        Assert.Equal(3, leased.Ids().Length);
        Assert.Equal(3, leased.Callable().Length);
        Assert.True(leased.View().Protection);
    }

    [Fact]
    public void Renewal_does_not_end_an_ejection_and_a_registration_does()
    {
        var leased = new LeasedRegistry();
        leased.Register(3);
        Report(leased, "i000", CallOutcome.ConnectFailed, 3);
        leased.PassSeconds(0.2);
        leased.Registry.Renew(LeasedRegistry.Key("i000"), null);
        Assert.Equal(2, leased.Callable().Length);
        leased.Register("i000");
        Assert.Equal(3, leased.Callable().Length);
    }

    [Fact]
    public void Outcome_of_an_unknown_instance_is_nothing()
    {
        var leased = new LeasedRegistry();
        leased.Registry.ReportOutcome(LeasedRegistry.Key("x"), CallOutcome.ConnectFailed);
        Assert.Equal(0, leased.Registry.InstanceCount);
    }

    private static void Report(LeasedRegistry leased, string id, CallOutcome outcome, int times)
    {
        for (var time = 0; time < times; time++) leased.Registry.ReportOutcome(LeasedRegistry.Key(id), outcome);
    }
}

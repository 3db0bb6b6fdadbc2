using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Balancing;

public sealed class EjectionTests
{
    private readonly ManualTimeProvider time = new();
    private readonly Ejection ejection;

    public EjectionTests() => ejection = new Ejection(new GatewayOptions(), time);

    [Fact]
    public void One_failure_makes_suspect_and_two_in_a_row_eject()
    {
        Assert.Null(ejection.Fail());
        Assert.True(ejection.IsSuspect);
        Assert.False(ejection.Allows(false, time.GetTimestamp()));
        Assert.True(ejection.Allows(true, time.GetTimestamp()));
        ejection.Succeed();
        Assert.False(ejection.IsSuspect);
        Assert.True(ejection.Allows(false, time.GetTimestamp()));
        Assert.Null(ejection.Fail());
        Assert.Equal(TimeSpan.FromSeconds(2), ejection.Fail());
        Assert.False(ejection.Allows(true, time.GetTimestamp()));
    }

    [Fact]
    public void A_suspect_that_nothing_repeatable_comes_to_is_tried_with_anything()
    {
        ejection.Fail();
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(ejection.Allows(false, time.GetTimestamp()));
    }

    [Fact]
    public void After_its_time_an_instance_is_on_trial_and_an_answer_brings_it_back()
    {
        Eject();
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(ejection.Allows(true, time.GetTimestamp()));
        Assert.False(ejection.Allows(false, time.GetTimestamp()));
        ejection.Succeed();
        Assert.False(ejection.IsOut);
        Assert.True(ejection.Allows(false, time.GetTimestamp()));
    }

    [Fact]
    public void When_nothing_repeatable_comes_any_request_may_try_it()
    {
        Eject();
        time.Advance(TimeSpan.FromSeconds(12));
        Assert.True(ejection.Allows(false, time.GetTimestamp()));
    }

    [Fact]
    public void Every_failed_trial_doubles_the_time_up_to_a_minute()
    {
        Eject();
        var times = new List<double>();
        for (var round = 0; round < 7; round++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            times.Add(ejection.Fail()!.Value.TotalSeconds);
        }
        Assert.Equal([4, 8, 16, 32, 60, 60, 60], times);
    }

    [Fact]
    public void Failures_that_were_under_way_do_not_lengthen_the_ejection()
    {
        Eject();
        Assert.Null(ejection.Fail());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(ejection.Allows(true, time.GetTimestamp()));
    }

    [Fact]
    public void An_answer_that_was_under_way_does_not_end_the_ejection()
    {
        Eject();
        ejection.Succeed();
        Assert.False(ejection.Allows(true, time.GetTimestamp()));
    }

    [Fact]
    public void One_that_comes_and_goes_is_left_out_longer_each_time()
    {
        Eject();
        time.Advance(TimeSpan.FromSeconds(2));
        ejection.Succeed();
        ejection.Fail();
        Assert.Equal(TimeSpan.FromSeconds(4), ejection.Fail());
    }

    [Fact]
    public void One_that_has_answered_for_long_starts_anew()
    {
        Eject();
        time.Advance(TimeSpan.FromSeconds(2));
        ejection.Succeed();
        time.Advance(TimeSpan.FromSeconds(61));
        ejection.Fail();
        Assert.Equal(TimeSpan.FromSeconds(2), ejection.Fail());
    }

    private void Eject()
    {
        ejection.Fail();
        Assert.NotNull(ejection.Fail());
    }
}

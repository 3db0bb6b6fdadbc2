using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Leases;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Registry;

public sealed class TimerWheelTests
{
    [Fact]
    public void Everything_comes_out_once_not_before_its_time_and_at_most_a_slot_late()
    {
        var random = LongRun.Random();
        for (var round = 0; round < LongRun.Count(50, 2000); round++)
        {
            var wheel = new TimerWheel();
            var deadlines = new Dictionary<InstanceState, long>();
            long now = 0;
            for (var step = 0; step < 400; step++)
            {
                var choice = random.Next(4);
                if (choice < 2)
                {
                    var state = State();
                    deadlines[state] = now + random.NextInt64(TimeSpan.FromSeconds(90).Ticks);
                    wheel.Schedule(state, deadlines[state]);
                }
                else if (choice == 2 && deadlines.Count > 0)
                {
                    var state = deadlines.Keys.ElementAt(random.Next(deadlines.Count));
                    wheel.Remove(state);
                    deadlines.Remove(state);
                }
                now += random.NextInt64(TimeSpan.FromSeconds(1).Ticks);
                var due = new List<InstanceState>();
                wheel.Advance(now, due);
                foreach (var state in due)
                {
                    Assert.True(deadlines.Remove(state, out var deadline), "came out twice, or after its removal");
                    Assert.True(deadline <= now, "came out before its time");
                }
                Assert.DoesNotContain(deadlines.Values, deadline => deadline <= now - TimerWheel.SlotWidth.Ticks);
            }
        }
    }

    [Fact]
    public void Deadline_beyond_the_ring_comes_up_early_to_be_put_back()
    {
        var wheel = new TimerWheel();
        var state = State();
        var deadline = TimeSpan.FromHours(1).Ticks;
        var (now, rounds) = (0L, 0);
        wheel.Schedule(state, deadline);
        while (true)
        {
            now += TimeSpan.FromSeconds(1).Ticks;
            var due = new List<InstanceState>();
            wheel.Advance(now, due);
            if (due.Count == 0) continue;
            rounds++;
            if (now >= deadline) break;
            wheel.Schedule(state, deadline);
        }
        Assert.InRange(now, deadline, deadline + TimeSpan.FromSeconds(1).Ticks);
        Assert.InRange(rounds, 30, 40);
    }

    [Fact]
    public void Scheduling_again_moves_instead_of_doubling()
    {
        var wheel = new TimerWheel();
        var state = State();
        for (var seconds = 1; seconds <= 10; seconds++) wheel.Schedule(state, TimeSpan.FromSeconds(seconds).Ticks);
        var due = new List<InstanceState>();
        wheel.Advance(TimeSpan.FromSeconds(9).Ticks, due);
        Assert.Empty(due);
        wheel.Advance(TimeSpan.FromSeconds(10).Ticks, due);
        Assert.Same(state, Assert.Single(due));
    }

    private static InstanceState State() => new(
        new ServiceState(LeasedRegistry.Orders), new Instance(LeasedRegistry.Key("i"), "10.0.0.1", 80), "a");
}

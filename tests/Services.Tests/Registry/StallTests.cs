using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Leases;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Registry;

public sealed class StallTests
{
    [Fact]
    public void Nothing_expires_because_the_process_stood_still()
    {
        var leased = new LeasedRegistry();
        leased.Register(4);
        leased.PassSeconds(5);
        leased.Stall(20);
        leased.Expiry.Tick();
        leased.PassSeconds(9);
        Assert.Equal(4, leased.Callable().Length);
        Assert.False(leased.View().Protection);
        Assert.DoesNotContain(leased.Events(), happened => happened.StartsWith("held", StringComparison.Ordinal));
    }

    [Fact]
    public void Dead_instance_still_goes_after_a_stall_and_gets_only_the_stall_longer()
    {
        var leased = new LeasedRegistry();
        leased.Register(4);
        leased.PassSeconds(5);
        leased.Stall(20);
        leased.Expiry.Tick();
        leased.PassRenewing(9, "i000", "i001", "i002");
        Assert.Contains("i003", leased.Ids());
        leased.PassRenewing(2, "i000", "i001", "i002");
        Assert.Equal(["i000", "i001", "i002"], leased.Ids());
    }

    [Fact]
    public void Stall_is_shown_with_its_length()
    {
        var leased = new LeasedRegistry();
        leased.PassSeconds(1);
        leased.Stall(20);
        leased.Expiry.Tick();
        var happened = Assert.Single(leased.Registry.Events(key: null));
        Assert.Equal(RegistryEventKind.Stalled, happened.Kind);
        Assert.Equal("the process stood still for 20.0 s; every lease has it added", happened.Reason);
    }

    [Fact]
    public void Short_delay_is_no_stall()
    {
        var leased = new LeasedRegistry();
        leased.Register(4);
        for (var round = 0; round < 12; round++)
        {
            foreach (var id in new[] { "i000", "i001", "i002" }) leased.Registry.Renew(LeasedRegistry.Key(id), null);
            leased.Stall(1.5);
            leased.Expiry.Tick();
        }
        Assert.DoesNotContain("i003", leased.Ids());
    }

    [Fact]
    public void Renewal_that_comes_before_the_stall_is_noticed_counts_from_then_on()
    {
        var leased = new LeasedRegistry();
        leased.Register(4);
        leased.PassSeconds(14);
        leased.Stall(20);
        leased.Registry.Renew(LeasedRegistry.Key("i000"), null); // The socket is read before the timer fires.
        leased.Expiry.Tick();
        leased.PassRenewing(14, "i001", "i002", "i003");
        Assert.Contains("i000", leased.Ids());
    }

    [Fact]
    public void Process_that_stops_between_tick_and_eviction_evicts_nothing()
    {
        // The clock jumps when the expiry looks at it for the second time, which is right before it judges.
        var time = new JumpingTime();
        var registry = new InstanceRegistry(
            new RegistryOptions(), "a", "store", time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var expiry = new LeaseExpiry(
            registry, time, () =>
                new HashSet<string> { "a" }, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        for (var at = 0; at < 4; at++)
            registry.Register(new Instance(LeasedRegistry.Key($"i{at}"), "10.0.0.1", 80) { Incarnation = 1 }, "test");
        for (var tick = 0; tick < 74; tick++)
        {
            if (tick % 20 == 0)
                for (var at = 0; at < 3; at++) registry.Renew(LeasedRegistry.Key($"i{at}"), null);
            time.Advance(TimerWheel.SlotWidth);
            expiry.Tick();
        }
        time.Advance(TimerWheel.SlotWidth);
        time.JumpAfterNextRead(TimeSpan.FromSeconds(20));
        expiry.Tick(); // i3 is due by this tick, and the process is stopped before it is judged.
        Assert.Equal(4, registry.FindFresh(LeasedRegistry.Orders)?.Instances.Length);
        registry.Renew(LeasedRegistry.Key("i3"), null); // What lay in the socket.
        for (var tick = 0; tick < 10; tick++)
        {
            time.Advance(TimerWheel.SlotWidth);
            expiry.Tick();
        }
        Assert.Equal(4, registry.FindFresh(LeasedRegistry.Orders)?.Callable.Length);
    }

    [Fact]
    public void Wall_clock_does_not_matter()
    {
        var leased = new LeasedRegistry();
        leased.Register(2);
        leased.Time.ShiftWallClock(TimeSpan.FromDays(-1));
        leased.PassSeconds(5);
        leased.Time.ShiftWallClock(TimeSpan.FromDays(2));
        leased.PassSeconds(5);
        Assert.Equal(2, leased.Callable().Length);
    }

    private sealed class JumpingTime : TimeProvider
    {
        private long now;
        private long jump;
        private int reads;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => now += by.Ticks;

        public void JumpAfterNextRead(TimeSpan by)
        {
            jump = by.Ticks;
            reads = 0;
        }

        public override long GetTimestamp()
        {
            if (jump > 0 && reads++ == 1)
            {
                now += jump;
                jump = 0;
            }
            return now;
        }

        public override DateTimeOffset GetUtcNow() => ManualTimeProvider.DefaultStart.AddTicks(now);
    }
}

using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Resilience;

/// <summary>Requests that take long, sent to another instance as well.</summary>
public sealed class HedgingTests
{
    /// <summary>How long the slow instance takes: far above what a loaded machine adds.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task One_slow_instance_is_outrun_by_another_and_nobody_waits_for_it()
    {
        await using var slow = new Sluggish();
        await using var fast = new Sluggish();
        await using var edge = await StartAsync(new HedgeSpec(100), slow, fast);
        await WarmUpAsync(edge);
        slow.Delay = Slow;

        var began = TimeProvider.System.GetTimestamp();
        for (var request = 0; request < 20; request++)
        {
            var (attempt, _) = await AskAsync(edge, HttpMethod.Get);
            Assert.True(attempt is "" or "2", attempt); // The one that answered was told which try it is.
        }
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, Slow);

        var hedge = HedgeOf(edge);
        Assert.InRange(hedge.Won, 1, 20);
        Assert.True(slow.Cancelled >= 1, "the loser was not told to stop");
        // Both connections of a race are accounted for: nothing is left under way.
        await Eventually.TrueAsync(() => edge.Module.UnderWay == 0, "all is over");
        Assert.All(
            edge.Module.Engine.Chooser.Sets.SelectMany(set => set.Upstreams), one => Assert.Equal(0, one.UnderWay));
        // Of one second only some requests are kept to be explained.
        await Eventually.TrueAsync(
            async () =>
            {
                await AskAsync(edge, HttpMethod.Get);
                return edge.Module.Seen.Recorder.Ring.Read().Any(one =>
                    string.Join(", ", one.Decisions.Select(decision => decision.What)).EndsWith(
                        "asked, outrun, late, so asked as well, answered", StringComparison.Ordinal));
            },
            "a race is explained");
    }

    [Fact]
    public async Task Without_it_the_slow_instance_is_waited_for()
    {
        await using var slow = new Sluggish();
        await using var fast = new Sluggish();
        await using var edge = await StartAsync(null, slow, fast);
        await WarmUpAsync(edge);
        slow.Delay = TimeSpan.FromMilliseconds(500);
        var began = TimeProvider.System.GetTimestamp();
        for (var request = 0; request < 4; request++) await AskAsync(edge, HttpMethod.Get);
        Assert.True(TimeProvider.System.GetElapsedTime(began) >= slow.Delay);
        Assert.Equal(0, slow.Cancelled);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task What_may_not_be_repeated_is_never_sent_to_two(string method)
    {
        await using var slow = new Sluggish();
        await using var fast = new Sluggish();
        await using var edge = await StartAsync(new HedgeSpec(100), slow, fast);
        await WarmUpAsync(edge);
        var before = slow.Requests + fast.Requests;
        slow.Delay = fast.Delay = TimeSpan.FromMilliseconds(300);
        // More of them would be no outliers any more.
        for (var request = 0; request < 2; request++) await AskAsync(edge, new HttpMethod(method));
        Assert.Equal(2, slow.Requests + fast.Requests - before);
        // While a GET is.
        await AskAsync(edge, HttpMethod.Get);
        Assert.Equal(4, slow.Requests + fast.Requests - before);
    }

    [Fact]
    public async Task When_everything_is_slow_the_budget_bounds_what_is_sent_twice()
    {
        await using var one = new Sluggish();
        await using var two = new Sluggish();
        await using var edge = await StartAsync(new HedgeSpec(10), one, two);
        await WarmUpAsync(edge);
        var before = one.Requests + two.Requests;
        one.Delay = two.Delay = TimeSpan.FromMilliseconds(400);
        const int asked = 100;
        await Task.WhenAll(Enumerable.Range(0, asked).Select(_ => AskAsync(edge, HttpMethod.Get)));

        var hedge = HedgeOf(edge);
        var twice = one.Requests + two.Requests - before - asked;
        // A tenth of these and of those before; each is one that won or lost.
        Assert.InRange(twice, 1, ((asked + WarmUps) / 10) + 1);
        Assert.Equal(twice, hedge.Won + hedge.Lost);
        Assert.InRange(hedge.Refused, asked / 2, asked);
    }

    [Fact]
    public async Task Where_the_first_fails_the_second_is_waited_for()
    {
        await using var broken = new Sluggish();
        await using var fast = new Sluggish();
        await using var edge = await StartAsync(new HedgeSpec(100), broken, fast);
        await WarmUpAsync(edge);
        // Each is slower than any before; the first breaks off before the second has answered.
        broken.Breaks = true;
        (broken.Delay, fast.Delay) = (TimeSpan.FromMilliseconds(400), TimeSpan.FromMilliseconds(700));
        for (var request = 0; request < 4; request++)
        {
            var (_, body) = await AskAsync(edge, HttpMethod.Get);
            Assert.Equal("ok", body);
        }
    }

    [Fact]
    public void The_digest_knows_the_slowest_of_twenty_of_the_last_seconds()
    {
        var time = new ManualTimeProvider();
        var digest = new LatencyDigest(time);
        for (var count = 0; count < LatencyDigest.MinSamples - 1; count++) digest.Took(TimeSpan.FromMilliseconds(5));
        Assert.Null(digest.P95);
        time.Advance(TimeSpan.FromSeconds(1));
        for (var count = 0; count < 181; count++) digest.Took(TimeSpan.FromMilliseconds(5));
        for (var count = 0; count < 8; count++) digest.Took(TimeSpan.FromSeconds(1));
        Assert.InRange(digest.P95!.Value.TotalMilliseconds, 5, 5 * 1.13);
        for (var count = 0; count < 8; count++) digest.Took(TimeSpan.FromSeconds(1));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.InRange(digest.P95!.Value.TotalMilliseconds, 1_000, 1_130);
        time.Advance(TimeSpan.FromSeconds(10)); // Still of the part before.
        Assert.NotNull(digest.P95);
        time.Advance(TimeSpan.FromSeconds(21));
        Assert.Null(digest.P95);
    }

    [Fact]
    public void A_hedge_out_of_its_bounds_is_refused_when_it_is_published()
    {
        var faults = new List<Groundwork.Wire.FieldFault>();
        UpstreamKind.Kind.Validate!( // It has rules.
            new UpstreamSpec("catalog", Resilience: new UpstreamResilience(Hedge: new HedgeSpec(0, 20_000))), faults);
        Assert.Equal(
            ["spec.resilience.hedge.percent", "spec.resilience.hedge.floorMs"], faults.Select(fault => fault.Path));
    }

    private const int WarmUps = 60;

    private static HedgePolicy HedgeOf(TestEdge edge) =>
        edge.Module.Engine.Guards.All.Single().Value.Hedge!; // As the upstream has it.

    // So that it is known what is slow.
    private static async Task WarmUpAsync(TestEdge edge)
    {
        for (var request = 0; request < WarmUps; request++) await AskAsync(edge, HttpMethod.Get);
        await Eventually.TrueAsync(
            () => edge.Module.Engine.Guards.All.Single().Value.Hedge is null or { After: not null }, "enough is known");
    }

    private static async Task<(string Attempt, string Body)> AskAsync(TestEdge edge, HttpMethod method)
    {
        using var request = new HttpRequestMessage(method, "/");
        if (method == HttpMethod.Post) request.Content = new StringContent("x");
        using var answer = await edge.Client.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return (
            answer.Headers.TryGetValues("X-Attempt", out var values) ? values.Single() : "",
            await answer.Content.ReadAsStringAsync());
    }

    private static async Task<TestEdge> StartAsync(HedgeSpec? hedge, params Sluggish[] instances)
    {
        var edge = await TestEdge.StartAsync(new GatewayOptions { FailuresToEject = 100 });
        foreach (var instance in instances) await instance.StartAsync();
        edge.Snapshots.Put(TestUpstreams.Resource("some", new UpstreamSpec(
            Addresses: [.. instances.Select(one => new UpstreamAddress(one.Address.ToString()))], AllowLoopback: true,
            Choose: new ChoiceSpec("round-robin"),
            // Tries of the ordinary kind out of the way.
            Resilience: new UpstreamResilience(
                new RetrySpec(Tries: 1), new BudgetSpec(100, 1_000), Hedge: hedge))));
        return edge.RouteAll(spec => spec with { Service = null, Upstream = "some" });
    }

    /// <summary>An instance that takes as long as it is told to.</summary>
    private sealed class Sluggish : IAsyncDisposable
    {
        private WebInstance? instance;
        private int cancelled;

        public TimeSpan Delay { get; set; }

        /// <summary>True: it breaks off instead of answering.</summary>
        public bool Breaks { get; set; }

        public int Cancelled => Volatile.Read(ref cancelled);

        public int Requests => instance?.Requests ?? 0;

        public System.Net.IPEndPoint Address => instance!.Address; // Started.

        public async Task StartAsync() => instance = await WebInstance.StartAsync(async context =>
        {
            try
            {
                if (Delay > TimeSpan.Zero) await Task.Delay(Delay, TimeProvider.System, context.RequestAborted);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref cancelled);
                return;
            }
            if (Breaks)
            {
                context.Abort();
                return;
            }
            if (context.Request.Headers["Groundwork-Attempt"] is [{ } attempt])
                context.Response.Headers["X-Attempt"] = attempt;
            await context.Response.WriteAsync("ok");
        });

        public ValueTask DisposeAsync() => instance?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}

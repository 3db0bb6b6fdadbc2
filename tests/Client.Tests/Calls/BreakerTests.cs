using System.Text.Json;
using Groundwork.Client.Calls;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Groundwork.Client.Tests.Calls;

public sealed class BreakerTests
{
    private static readonly (string Key, string Value)[] Policy =
    [
        ("Retry", "off"), ("Breaker:MinimumThroughput", "4"), ("Breaker:FailureRatio", "0.5"),
        ("Breaker:BreakFor", "500ms"),
    ];

    [Fact]
    public async Task It_opens_refuses_without_a_call_lets_one_find_out_and_closes()
    {
        await using var calling = await CallingHost.StartAsync(Policy);
        calling.Instead = context => CallingHost.Status(context, 500);
        for (var i = 0; i < 4; i++) using (await calling.Http.GetAsync("http://catalog/")) { }
        Assert.Equal(4, calling.Requests);

        var fault = await Assert.ThrowsAsync<GroundworkCallException>(() => calling.Http.GetAsync("http://catalog/"));
        Assert.Equal(("circuit_open", "catalog", null), (fault.Code, fault.Service, fault.Instance));
        Assert.Equal(4, calling.Requests);
        Assert.Equal(BreakerState.Open, State(calling));
        Assert.True(calling.Host.Log.Has("Warning: The circuit breaker of catalog (*) opens for 00:00:00.5000000"));

        // One call finds out, and it still fails: open for another while.
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    using var answer = await calling.Http.GetAsync("http://catalog/");
                }
                catch (GroundworkCallException refused) when (refused.Code == "circuit_open")
                {
                    // Still open.
                }
                return calling.Requests == 5;
            },
            "one call is let through");
        await Assert.ThrowsAsync<GroundworkCallException>(() => calling.Http.GetAsync("http://catalog/"));

        calling.Instead = null;
        await Eventually.PassesAsync(async () => await calling.Http.GetStringAsync("http://catalog/"));
        Assert.Equal(BreakerState.Closed, State(calling));
        for (var i = 0; i < 5; i++) await calling.Http.GetStringAsync("http://catalog/");
        await calling.NothingIsUnderWayAsync();
    }

    [Fact]
    public async Task Its_state_is_seen_in_the_health_check_the_meter_and_the_report_to_the_platform()
    {
        await using var calling = await CallingHost.StartAsync(Policy);
        calling.Instead = context => CallingHost.Status(context, 503);
        for (var i = 0; i < 4; i++) using (await calling.Http.GetAsync("http://catalog/")) { }

        var health = await calling.Host.App.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Contains(
            "the last answer has status 503",
            (string)health.Entries["groundwork"].Data["breaker catalog *"], StringComparison.Ordinal);
        Assert.Contains(calling.Services.Plans.Breakers, breaker => breaker.State.Level == 2);
        await Eventually.TrueAsync(() => Reported(calling).Any(one => one.State == "open"), "it is reported");
        var open = Reported(calling).Last(one => one.State == "open");
        Assert.Equal(
            ("catalog", "default", "default", null, "the last answer has status 503"),
            (open.Service, open.Namespace, open.Group, open.Method, open.Reason));
        Assert.Contains(
            Batches(calling), batch => batch.Caller == $"default/orders/127.0.0.1:{calling.Host.Port}");

        calling.Instead = null;
        await Eventually.PassesAsync(async () => await calling.Http.GetStringAsync("http://catalog/"));
        await Eventually.TrueAsync(() => Reported(calling).Any(one => one.State == "closed"), "its end is reported");
    }

    [Fact]
    public async Task A_platform_that_does_not_know_breakers_still_hears_of_outcomes()
    {
        await using var calling = await CallingHost.StartAsync(Policy);
        calling.Platform.KnowsOutcomesOnly = true;
        await calling.Http.GetStringAsync("http://catalog/");

        await Eventually.TrueAsync(
            () => Batches(calling).Any(batch => batch is { Caller: null, Breakers: null, Outcomes.Count: > 0 }),
            "outcomes alone are sent");
        var before = Batches(calling).Count(batch => batch.Caller is not null);
        await calling.Http.GetStringAsync("http://catalog/");
        await Eventually.TrueAsync(
            () => Batches(calling).Count(batch => batch.Caller is null) >= 2, "and from then on at once");
        Assert.Equal(before, Batches(calling).Count(batch => batch.Caller is not null));
    }

    [Fact]
    public async Task Late_answers_open_it_where_the_policy_says_so()
    {
        await using var calling = await CallingHost.StartAsync([.. Policy, ("Breaker:SlowerThan", "1ms")]);
        calling.Instead = context => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        for (var i = 0; i < 4; i++) using (await calling.Http.GetAsync("http://catalog/")) { }

        var fault = await Assert.ThrowsAsync<GroundworkCallException>(() => calling.Http.GetAsync("http://catalog/"));
        Assert.Contains("the last answer came late", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_methods_own_breaker_leaves_the_others_alone()
    {
        await using var calling = await CallingHost.StartAsync(
            ("Retry", "off"), ("Methods:GET /reviews:Breaker:MinimumThroughput", "4"));
        calling.Instead = context => CallingHost.Status(context, context.Request.Path == "/reviews" ? 500 : 200);
        for (var i = 0; i < 4; i++) using (await calling.Http.GetAsync("http://catalog/reviews")) { }

        await Assert.ThrowsAsync<GroundworkCallException>(() => calling.Http.GetAsync("http://catalog/reviews"));
        using var answer = await calling.Http.GetAsync("http://catalog/products");
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal("GET /reviews", Assert.Single(calling.Services.Plans.Breakers).Policy.Method);
    }

    [Fact]
    public async Task A_change_of_another_key_leaves_it_open_and_its_own_makes_a_new_one()
    {
        await using var calling = await CallingHost.StartAsync([.. Policy, ("Breaker:BreakFor", "10m")]);
        calling.Instead = context => CallingHost.Status(context, 500);
        for (var i = 0; i < 4; i++) using (await calling.Http.GetAsync("http://catalog/")) { }
        calling.Instead = null;

        calling.Change(("TryTimeout", "2s"));
        await Assert.ThrowsAsync<GroundworkCallException>(() => calling.Http.GetAsync("http://catalog/"));

        calling.Change(("Breaker:BreakFor", "9m"));
        await calling.Http.GetStringAsync("http://catalog/");
        await Eventually.TrueAsync(() => Reported(calling).Any(one => one.State == "closed"), "its end is reported");
    }

    [Fact]
    public async Task A_wall_clock_that_is_set_back_does_not_keep_it_open()
    {
        var time = new ManualTimeProvider();
        var breaker = new CallBreaker(
            "catalog", new BreakerPolicy(null, 0.5, 2, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(5), null), time,
            new ClientMeters(), new LogLines());
        for (var i = 0; i < 2; i++) await TryAsync(breaker, 500);
        Assert.Equal(BreakerState.Open, breaker.State.State);

        time.ShiftWallClock(TimeSpan.FromHours(-1));
        time.Advance(TimeSpan.FromSeconds(5));
        await TryAsync(breaker, 200);

        Assert.Equal(BreakerState.Closed, breaker.State.State);
    }

    private static async Task TryAsync(CallBreaker breaker, int status)
    {
        using var answer = await breaker.Pipeline.ExecuteAsync(
            _ => ValueTask.FromResult(new HttpResponseMessage((System.Net.HttpStatusCode)status)));
    }

    private static string State(CallingHost calling) => calling.Services.Plans.Breakers.Single().State.State;

    private static IEnumerable<OutcomeBatch> Batches(CallingHost calling) => calling.Platform.Bodies
        .Where(body => body.StartsWith("{\"outcomes\"", StringComparison.Ordinal))
        .Select(body => JsonSerializer.Deserialize(body, WireJson.Strict.OutcomeBatch)!);

    private static IEnumerable<BreakerDocument> Reported(CallingHost calling) =>
        Batches(calling).SelectMany(batch => batch.Breakers ?? []);
}

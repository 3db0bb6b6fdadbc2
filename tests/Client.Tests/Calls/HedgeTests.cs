using Groundwork.Client.Calls;
using Groundwork.Client.Discovery;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Client.Tests.Calls;

public sealed class HedgeTests
{
    [Fact]
    public async Task A_slow_instance_is_overtaken_by_another_and_let_go()
    {
        await using var calling = await CallingHost.StartAsync(("Hedge:After", "20ms"));
        var letGo = 0;
        calling.First.Instead = async context =>
        {
            await CallingHost.Hang(context);
            Interlocked.Increment(ref letGo);
        };

        for (var i = 0; i < 10; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "http://catalog/");
            using var answer = await calling.Http.SendAsync(request);
            Assert.Equal($"{calling.Second.Port}", await answer.Content.ReadAsStringAsync());
            Assert.Same(request, answer.RequestMessage);
            Assert.Equal(new Uri("http://catalog/"), request.RequestUri);
        }

        Assert.NotEmpty(calling.First.Requests);
        await Eventually.TrueAsync(
            () => Volatile.Read(ref letGo) == calling.First.Requests.Count, "the slow one hears that nobody waits");
        await calling.NothingIsUnderWayAsync();
        Assert.All(calling.Second.Requests, request =>
            Assert.Contains(request.Headers[HeaderNames.Attempt].ToString(), (string[])["", "2"]));
        // It was on trial, too, and comes back.
        calling.First.Instead = null;
        await Eventually.TrueAsync(
            async () => await calling.Http.GetStringAsync("http://catalog/") == $"{calling.First.Port}", "it is back");
    }

    [Fact]
    public async Task Of_two_answers_at_the_same_time_one_is_let_go()
    {
        await using var calling = await CallingHost.StartAsync(("Hedge:After", "1ms"), ("RetryBudget:Ratio", "1"));
        calling.Instead = async context =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(3), TimeProvider.System);
            // Of unknown length, so that the answer that is not taken has a body that is under way.
            for (var i = 0; i < 20; i++)
            {
                await context.Response.WriteAsync("part of an answer, ");
                await context.Response.Body.FlushAsync();
            }
        };

        for (var i = 0; i < 60; i++)
            Assert.Equal(380, (await calling.Http.GetStringAsync("http://catalog/")).Length);

        Assert.True(calling.Requests > 60, "some were hedged");
        await calling.NothingIsUnderWayAsync();
        Assert.All(calling.Targets, AssertCanBeTried);
    }

    [Fact]
    public async Task In_place_of_a_try_that_did_not_connect_another_takes_nothing_from_the_budget()
    {
        await using var calling = await CallingHost.StartAsync(
            ("Hedge:After", "1m"), ("RetryBudget:Ratio", "0"), ("RetryBudget:MinPerSecond", "0"));
        calling.Platform.PublishService(calling.Platform.Service("catalog", 3, calling.First.Port, FreePort.Next()));

        for (var i = 0; i < 20; i++)
            Assert.Equal($"{calling.First.Port}", await calling.Http.GetStringAsync("http://catalog/"));
    }

    [Fact]
    public async Task A_caller_that_cancels_during_a_hedge_ends_both_tries()
    {
        await using var calling = await CallingHost.StartAsync(("Hedge:After", "1ms"));
        calling.Instead = CallingHost.Hang;
        for (var i = 0; i < 5; i++)
        {
            using var cancel = new CancellationTokenSource();
            var before = calling.Requests;
            var call = calling.Http.GetAsync("http://catalog/", cancel.Token);
            await Eventually.TrueAsync(() => calling.Requests == before + 2, "both are called");

            await cancel.CancelAsync();

            var fault = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
            Assert.IsNotType<HttpRequestException>(fault.InnerException);
        }
        await calling.NothingIsUnderWayAsync();
        calling.Instead = null;
        await calling.Http.GetStringAsync("http://catalog/");
        Assert.All(calling.Targets, AssertCanBeTried);
    }

    [Fact]
    public async Task Calls_that_change_something_are_not_made_twice()
    {
        await using var calling = await CallingHost.StartAsync(("Hedge:After", "1ms"));
        calling.Instead = context => Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);

        using var answer = await calling.Http.PostAsync("http://catalog/", null);

        Assert.Equal(1, calling.Requests);
    }

    [Fact]
    public async Task Hedges_are_counted_in_the_budget()
    {
        await using var calling = await CallingHost.StartAsync(
            ("Hedge:After", "1ms"), ("RetryBudget:Ratio", "0.2"), ("RetryBudget:MinPerSecond", "0"));
        calling.Instead = context => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);

        for (var i = 0; i < 30; i++) using (await calling.Http.GetAsync("http://catalog/")) { }

        Assert.InRange(calling.Requests, 31, 36);
        await calling.NothingIsUnderWayAsync();
    }

    [Fact]
    public async Task A_try_that_failed_is_followed_by_the_next_at_once()
    {
        await using var calling = await CallingHost.StartAsync(("Hedge:After", "1m"), ("Retry:Statuses", "503"));
        calling.First.Instead = context => CallingHost.Status(context, 503);

        for (var i = 0; i < 10; i++)
            Assert.Equal($"{calling.Second.Port}", await calling.Http.GetStringAsync("http://catalog/"));
    }

    [Fact]
    public async Task The_measured_percentile_is_waited_for_once_it_is_known()
    {
        await using var calling = await CallingHost.StartAsync(("Hedge:After", "p95"));
        for (var i = 0; i < 70; i++) await calling.Http.GetStringAsync("http://catalog/");
        Assert.InRange(calling.Requests, 70, 80);
        calling.First.Instead = CallingHost.Hang;

        for (var i = 0; i < 5; i++)
            Assert.Equal($"{calling.Second.Port}", await calling.Http.GetStringAsync("http://catalog/"));

        await calling.NothingIsUnderWayAsync();
    }

    [Fact]
    public void The_percentile_is_of_the_newest_answers()
    {
        var times = new AnswerTimes();
        for (var i = 0; i < 39; i++) times.Add(TimeSpan.FromMilliseconds(1));
        Assert.Null(times.Percentile95);
        for (var i = 0; i < 200; i++) times.Add(TimeSpan.FromMilliseconds(i % 10 == 0 ? 50 : 1));
        Assert.Equal(TimeSpan.FromMilliseconds(50), times.Percentile95);
        for (var i = 0; i < 1000; i++) times.Add(TimeSpan.FromMilliseconds(2));
        Assert.Equal(TimeSpan.FromMilliseconds(2), times.Percentile95);
    }

    private static void AssertCanBeTried(ServiceTarget target)
    {
        using var place = target.TryBegin(ChoiceReason.Only);
        Assert.NotNull(place);
    }
}

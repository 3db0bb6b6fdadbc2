using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Client.Tests.Calls;

public sealed class BulkheadTests
{
    [Fact]
    public async Task More_calls_than_it_has_places_wait_and_then_are_refused()
    {
        await using var calling = await CallingHost.StartAsync(
            ("Bulkhead:MaxConcurrent", "2"), ("Bulkhead:Queue", "1"));
        var go = new TaskCompletionSource();
        calling.Instead = async context =>
        {
            await go.Task;
            await context.Response.WriteAsync("done");
        };
        var running = new[] { Get(calling), Get(calling) };
        await Eventually.TrueAsync(() => calling.Requests == 2, "both places are taken");
        var waiting = Get(calling);

        // Whether the third has come to the queue cannot be seen; while it has not, a fourth takes its place there.
        var fault = await Assert.ThrowsAsync<GroundworkCallException>(
            () => Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Get(calling, TimeSpan.FromMinutes(1)))));
        Assert.Equal("bulkhead_full", fault.Code);
        Assert.Equal(2, calling.Requests);

        go.SetResult();
        await Task.WhenAll(running);
        await Eventually.TrueAsync(() => calling.Requests == 3, "the one that waited is called");
        await waiting.ContinueWith(_ => { }, TaskScheduler.Default);
        await calling.NothingIsUnderWayAsync();
        for (var i = 0; i < 5; i++) await Get(calling);
    }

    [Fact]
    public async Task A_place_is_held_until_the_answers_body_has_ended()
    {
        await using var calling = await CallingHost.StartAsync(("Bulkhead:MaxConcurrent", "1"));
        var rest = new TaskCompletionSource();
        calling.Instead = async context =>
        {
            await context.Response.WriteAsync("long");
            await rest.Task;
        };
        using var answer = await calling.Http.GetAsync("http://catalog/", HttpCompletionOption.ResponseHeadersRead);

        var fault = await Assert.ThrowsAsync<GroundworkCallException>(() => Get(calling));
        Assert.Equal("bulkhead_full", fault.Code);

        rest.SetResult();
        await answer.Content.ReadAsStringAsync();
        await Get(calling);
    }

    [Fact]
    public async Task Faults_and_cancelled_calls_give_their_place_back()
    {
        await using var calling = await CallingHost.StartAsync(("Bulkhead:MaxConcurrent", "1"), ("Retry", "off"));
        for (var i = 0; i < 5; i++)
        {
            calling.Instead = CallingHost.Abort;
            var fault = await Assert.ThrowsAsync<GroundworkCallException>(() => Get(calling));
            Assert.Equal("upstream_failed", fault.Code);
            calling.Instead = CallingHost.Hang;
            using var cancel = new CancellationTokenSource();
            var before = calling.Requests;
            var call = calling.Http.GetAsync("http://catalog/", cancel.Token);
            await Eventually.TrueAsync(() => calling.Requests > before, "it is called");
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        }
        calling.Instead = null;
        await Get(calling);
    }

    [Fact]
    public async Task The_wait_for_a_place_counts_towards_the_total_time_out()
    {
        await using var calling = await CallingHost.StartAsync(
            ("Bulkhead:MaxConcurrent", "1"), ("Bulkhead:Queue", "9"),
            ("Methods:GET /short:TotalTimeout", "100ms"));
        using var cancel = new CancellationTokenSource();
        calling.Instead = CallingHost.Hang;
        var running = calling.Http.GetAsync("http://catalog/", cancel.Token);
        await Eventually.TrueAsync(() => calling.Requests == 1, "the place is taken");

        var fault = await Assert.ThrowsAsync<GroundworkCallException>(
            () => calling.Http.GetAsync("http://catalog/short"));

        Assert.Equal("deadline_exceeded", fault.Code);
        Assert.Equal(1, calling.Requests);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static async Task Get(CallingHost calling, TimeSpan? within = null)
    {
        using var limit = new CancellationTokenSource(within ?? Eventually.Patience, TimeProvider.System);
        using var answer = await calling.Http.GetAsync("http://catalog/", limit.Token);
        await answer.Content.ReadAsStringAsync(limit.Token);
    }
}

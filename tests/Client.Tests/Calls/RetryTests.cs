using System.Net;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Client.Tests.Calls;

public sealed class RetryTests
{
    [Fact]
    public async Task A_status_of_the_policy_is_tried_again_elsewhere()
    {
        await using var calling = await CallingHost.StartAsync(("Retry:Statuses", "503"));
        calling.First.Instead = context => CallingHost.Status(context, 503);

        for (var i = 0; i < 20; i++)
            Assert.Equal($"{calling.Second.Port}", await calling.Http.GetStringAsync("http://catalog/"));

        await calling.NothingIsUnderWayAsync();
    }

    [Fact]
    public async Task The_same_instance_is_tried_again_only_after_a_pause()
    {
        await using var calling = await CallingHost.StartAsync(("Retry:Statuses", "503"), ("Retry:Max", "3"));
        calling.Instead = context => CallingHost.Status(context, 503);

        using (await calling.Http.GetAsync("http://catalog/")) Assert.Equal(2 + 2, calling.Requests);

        calling.Change(("Retry:Delay", "1ms"));
        calling.Platform.PublishService(calling.Platform.Service("catalog", 3, calling.First.Port));
        await Eventually.TrueAsync(() => calling.Targets.Count == 1, "one instance is left");
        using (await calling.Http.GetAsync("http://catalog/")) Assert.Equal(4 + 4, calling.Requests);
    }

    [Fact]
    public async Task A_pause_that_the_callee_asks_for_is_kept_to_unless_it_is_too_long()
    {
        await using var calling = await CallingHost.StartAsync(
            ("Retry:Statuses", "503"), ("Retry:Delay", "1ms"), ("Retry:MaxDelay", "2s"));
        var wanted = "1";
        calling.Instead = context =>
        {
            context.Response.Headers.RetryAfter = wanted;
            return CallingHost.Status(context, 503);
        };
        var began = TimeProvider.System.GetTimestamp();

        using (await calling.Http.GetAsync("http://catalog/")) Assert.Equal(2, calling.Requests);
        Assert.True(TimeProvider.System.GetElapsedTime(began) >= TimeSpan.FromSeconds(1));

        wanted = "3";
        using (await calling.Http.GetAsync("http://catalog/")) Assert.Equal(3, calling.Requests);
    }

    [Theory]
    [InlineData("false", 1)]
    [InlineData("true", 2)]
    public async Task An_unsafe_call_that_was_sent_is_repeated_with_its_body_only_where_the_policy_says_so(
        string isUnsafe, int expected)
    {
        await using var calling = await CallingHost.StartAsync(
            ("Retry:Unsafe", isUnsafe), ("Retry:Statuses", "500"));
        var bodies = new List<string>();
        calling.Instead = async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            lock (bodies) bodies.Add(reader.ReadToEndAsync().GetAwaiter().GetResult());
            await CallingHost.Status(context, 500);
        };

        using var answer = await calling.Http.PostAsync("http://catalog/", new StringContent("an order"));

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal(Enumerable.Repeat("an order", expected), bodies);
    }

    [Fact]
    public async Task A_body_that_cannot_be_held_is_sent_once()
    {
        await using var calling = await CallingHost.StartAsync(("Retry:Unsafe", "true"), ("Retry:Statuses", "500"));
        calling.Instead = context => CallingHost.Status(context, 500);
        using var pipe = new MemoryStream([1, 2, 3]);
        using var content = new UnknownLength(pipe);

        using var answer = await calling.Http.PostAsync("http://catalog/", content);

        Assert.Equal(1, calling.Requests);
    }

    [Fact]
    public async Task Retries_end_with_the_budget_and_calls_that_cannot_connect_take_nothing_from_it()
    {
        await using var calling = await CallingHost.StartAsync(
            ("Retry:Statuses", "503"), ("RetryBudget:Ratio", "0.1"), ("RetryBudget:MinPerSecond", "0"));
        calling.Instead = context => CallingHost.Status(context, 503);

        for (var i = 0; i < 50; i++) using (await calling.Http.GetAsync("http://catalog/")) { }
        Assert.InRange(calling.Requests, 51, 55);

        var dead = FreePort.Next();
        calling.Instead = null;
        calling.Platform.PublishService(calling.Platform.Service("catalog", 3, calling.First.Port, dead));
        await Eventually.TrueAsync(() => calling.Targets.Any(target => target.Port == dead), "the list has changed");
        for (var i = 0; i < 20; i++) await calling.Http.GetStringAsync("http://catalog/");
    }

    [Fact]
    public async Task What_is_called_for_a_call_that_was_tried_again_is_not_tried_again_when_overloaded()
    {
        await using var calling = await CallingHost.StartAsync(("Retry:Statuses", "500,503"));
        await using var outer = await ClientHost.StartAsync(
            calling.Platform.Address,
            before: builder => CallingHost.Set(builder.Configuration, ("Retry:Statuses", "500,503")),
            map: app => app.MapGet("/", async (IHttpClientFactory clients) =>
            {
                using var answer = await clients.CreateClient().GetAsync("http://catalog/");
                return Results.StatusCode((int)answer.StatusCode);
            }));
        using var bare = new HttpClient();

        async Task<int> RequestsForAsync(int status, string? attempt)
        {
            calling.Instead = context => CallingHost.Status(context, status);
            var before = calling.Requests;
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{outer.Port}/");
            if (attempt is not null) request.Headers.Add(HeaderNames.Attempt, attempt);
            using var answer = await bare.SendAsync(request);
            Assert.Equal(status, (int)answer.StatusCode);
            return calling.Requests - before;
        }

        Assert.Equal(2, await RequestsForAsync(503, null));
        Assert.Equal(1, await RequestsForAsync(503, "2"));
        Assert.Equal(2, await RequestsForAsync(500, "2"));
        var told = calling.First.Requests.Concat(calling.Second.Requests)
            .Select(request => request.Headers[HeaderNames.Attempt].ToString()).Order(StringComparer.Ordinal);
        Assert.Equal(["", "2", "2", "2", "3"], told);
    }

    [Fact]
    public async Task A_caller_that_cancels_in_the_pause_ends_it()
    {
        await using var calling = await CallingHost.StartAsync(("Retry:Statuses", "503"), ("Retry:Delay", "1h"),
            ("Retry:MaxDelay", "1h"), ("Bulkhead:MaxConcurrent", "1"));
        calling.Instead = context => CallingHost.Status(context, 503);
        for (var i = 0; i < 3; i++)
        {
            using var cancel = new CancellationTokenSource();
            var before = calling.Requests;
            var call = calling.Http.GetAsync("http://catalog/", cancel.Token);
            await Eventually.TrueAsync(() => calling.Requests > before, "the first try is made");

            await cancel.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        }
        await calling.NothingIsUnderWayAsync();
    }

    private sealed class UnknownLength(Stream inner) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            inner.CopyToAsync(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

using System.Globalization;
using System.Net;
using System.Text.Json;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Client.Tests.Calls;

public sealed class DeadlineTests
{
    [Theory]
    [InlineData("0")]
    [InlineData("-17")]
    public async Task A_request_whose_time_is_over_is_answered_without_running(string left)
    {
        var runs = 0;
        await using var platform = await PlatformStub.StartAsync();
        await using var host = await ClientHost.StartAsync(
            platform.Address, map: app => app.MapGet("/", () => Interlocked.Increment(ref runs)));

        using var answer = await AskAsync(host, left);

        await AssertLateAsync(answer);
        Assert.Equal(0, runs);
        using var nonsense = await AskAsync(host, "soon");
        Assert.Equal(HttpStatusCode.OK, nonsense.StatusCode);
    }

    [Fact]
    public async Task A_request_is_cancelled_when_its_time_is_over()
    {
        await using var platform = await PlatformStub.StartAsync();
        await using var host = await ClientHost.StartAsync(platform.Address, map: app => app.MapGet(
            "/", async (CancellationToken cancelled) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancelled);
                return "late";
            }));

        using var answer = await AskAsync(host, "100");

        await AssertLateAsync(answer);
    }

    [Fact]
    public async Task What_is_left_is_passed_on_over_two_hops_and_cancels_the_last()
    {
        await using var calling = await CallingHost.StartAsync();
        var ended = new TaskCompletionSource();
        calling.Instead = async context =>
        {
            await CallingHost.Hang(context);
            ended.TrySetResult();
        };
        await using var outer = await OuterAsync(calling, async clients =>
        {
            // Not on the request's own thread, and after an await.
            await Task.Yield();
            return await Task.Run(() => clients.GetStringAsync("http://catalog/"));
        });
        var began = TimeProvider.System.GetTimestamp();

        using var answer = await AskAsync(outer, "400");

        await AssertLateAsync(answer);
        Assert.InRange(
            TimeProvider.System.GetElapsedTime(began), TimeSpan.FromMilliseconds(390), TimeSpan.FromSeconds(20));
        await ended.Task.WaitAsync(Eventually.Patience, TimeProvider.System);
        Assert.All(Left(calling), left => Assert.InRange(left, 1, 400));
        Assert.Single(Left(calling));
    }

    [Theory]
    [InlineData("60000", "2s", 1, 2000)]
    [InlineData("700", "2s", 1, 700)]
    [InlineData(null, "2s", 1001, 2000)]
    public async Task The_shorter_of_what_was_inherited_and_the_own_time_out_is_passed_on(
        string? inherited, string own, long least, long most)
    {
        await using var calling = await CallingHost.StartAsync();
        await using var outer = await OuterAsync(
            calling, clients => clients.GetStringAsync("http://catalog/"), ("TotalTimeout", own));

        using var answer = await AskAsync(outer, inherited);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.InRange(Assert.Single(Left(calling)), least, most);
    }

    [Fact]
    public async Task Work_that_outlives_the_request_is_not_bound_by_it()
    {
        await using var calling = await CallingHost.StartAsync();
        var go = new TaskCompletionSource();
        var later = Task.CompletedTask;
        await using var outer = await OuterAsync(calling, clients =>
        {
            later = Task.Run(async () =>
            {
                await go.Task;
                await clients.GetStringAsync("http://catalog/");
            });
            return Task.FromResult("accepted");
        });

        using var answer = await AskAsync(outer, "5000");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await answer.Content.ReadAsStringAsync();
        // The answer is out a moment before the request is over on the server's side.
        await Eventually.TrueAsync(() => outer.Log.Has("Request finished"), "the request is over");
        go.SetResult();
        await later;

        Assert.Empty(Left(calling));
    }

    [Fact]
    public async Task No_call_goes_out_when_nothing_is_left()
    {
        await using var calling = await CallingHost.StartAsync(("/Groundwork:Calls:*:TotalTimeout", "off"));
        await using var outer = await OuterAsync(calling, async clients =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(150), TimeProvider.System);
            return await clients.GetStringAsync("http://catalog/");
        });

        using var answer = await AskAsync(outer, "50");

        await AssertLateAsync(answer);
        Assert.Equal(0, calling.Requests);
    }

    private static Task<ClientHost> OuterAsync(
        CallingHost calling, Func<HttpClient, Task<string>> handle, params (string, string)[] policies) =>
        ClientHost.StartAsync(
            calling.Platform.Address,
            before: builder => CallingHost.Set(builder.Configuration, policies),
            map: app => app.MapGet("/", (IHttpClientFactory clients) => handle(clients.CreateClient())));

    private static IEnumerable<long> Left(CallingHost calling) => calling.First.Requests.Concat(calling.Second.Requests)
        .Select(request => request.Headers[HeaderNames.Deadline].ToString())
        .Where(text => text.Length > 0)
        .Select(text => long.Parse(text, CultureInfo.InvariantCulture));

    private static async Task<HttpResponseMessage> AskAsync(ClientHost host, string? left)
    {
        using var bare = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{host.Port}/");
        if (left is not null) request.Headers.Add(HeaderNames.Deadline, left);
        return await bare.SendAsync(request);
    }

    private static async Task AssertLateAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonSerializer.Deserialize(
            await answer.Content.ReadAsStringAsync(), WireJson.Strict.ProblemDocument);
        Assert.Equal(("deadline_exceeded", 504), (problem?.Code, problem?.Status));
    }
}

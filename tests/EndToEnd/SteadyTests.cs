using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// The real process under load while what it routes to changes: routes, and instances that come and go by way of the
/// registry. No request fails.
/// </summary>
public sealed class SteadyTests : IAsyncDisposable
{
    private const int Readers = 6;
    private const int Writers = 2;

    private readonly TemporaryDirectory directory = new();
    private readonly ConcurrentDictionary<string, WebApplication> instances = new(StringComparer.Ordinal);
    private int started;

    [Fact]
    public async Task Route_changes_under_load_fail_no_request()
    {
        await using var node = await StartAsync();
        using var api = node.Local();
        await RegisterAsync(api, "one");
        await RegisterAsync(api, "two");
        await PutAsync(api, "route/default/all", Route("one", 0));
        await using var load = new SteadyLoad(IPEndPoint.Parse(node.Address("gateway").Authority), Readers, Writers);
        await load.AnswersAsync(100);

        var changes = LongRun.Count(usual: 100, whole: 1_000);
        var began = TimeProvider.System.GetTimestamp();
        for (var change = 1; change <= changes; change++)
        {
            // The route itself: its target, what it does to requests, its limits; and others that come and go.
            var path = $"route/default/other-{change / 4}";
            if (change % 4 == 1)
                await PutAsync(api, path, Route(change % 8 == 1 ? "two" : "one", change, "/" + change));
            else if (change % 4 == 3) await DeleteAsync(api, $"route/default/other-{(change - 2) / 4}");
            else await PutAsync(api, "route/default/all", Route(change % 8 < 4 ? "one" : "two", change));
        }

        await load.AnswersAsync(100);
        Tell($"{changes} route changes in {Seconds(began)} s, {load.Answers} answers, {load.Failures.Count} failures");
        Assert.Empty(load.Failures);
        // The twin: the same load sees a route that leads nowhere.
        await DeleteAsync(api, "route/default/all");
        await Eventually.TrueAsync(() => !load.Failures.IsEmpty, "the load sees that there is no route");
    }

    [Fact]
    public async Task Instances_that_drain_are_started_again_under_load_without_a_failed_request()
    {
        await using var node = await StartAsync();
        using var api = node.Local();
        await RegisterAsync(api, "one");
        await RegisterAsync(api, "one");
        await PutAsync(api, "route/default/all", Route("one", 0));
        await using var load = new SteadyLoad(IPEndPoint.Parse(node.Address("gateway").Authority), Readers, Writers);
        await load.AnswersAsync(100);

        var restarts = LongRun.Count(usual: 4, whole: 20);
        var began = TimeProvider.System.GetTimestamp();
        for (var restart = 0; restart < restarts; restart++)
        {
            // As a service does that is told to end: it leaves, callers hear of it, what is under way ends.
            var oldest = instances.Keys.Order(StringComparer.Ordinal).First();
            await RegisterAsync(api, "one");
            using (var drained = await api.PostAsync($"registry/instances/default/one/{oldest}/drain?wait=10s", null))
                Assert.True(drained.IsSuccessStatusCode, await drained.Content.ReadAsStringAsync());
            await StopAsync(oldest, CancellationToken.None);
            using (var gone = await api.DeleteAsync($"registry/instances/default/one/{oldest}?incarnation=1"))
                Assert.True(gone.IsSuccessStatusCode, await gone.Content.ReadAsStringAsync());
            await load.AnswersAsync(50);
        }

        Tell($"{restarts} restarts of instances in {Seconds(began)} s, {load.Answers} answers, "
            + $"{load.Failures.Count} failures");
        Assert.Empty(load.Failures);
    }

    [Fact]
    public async Task Instances_that_die_fail_no_request_that_may_be_repeated()
    {
        await using var node = await StartAsync();
        using var api = node.Local();
        for (var count = 0; count < 3; count++) await RegisterAsync(api, "one");
        await PutAsync(api, "route/default/all", Route("one", 0));
        await using var load = new SteadyLoad(IPEndPoint.Parse(node.Address("gateway").Authority), Readers);
        await load.AnswersAsync(100);

        var deaths = LongRun.Count(usual: 3, whole: 20);
        for (var death = 0; death < deaths; death++)
        {
            // Nobody is told: connections break with whatever is under way, and nobody listens any more.
            var oldest = instances.Keys.Order(StringComparer.Ordinal).First();
            await StopAsync(oldest, new CancellationToken(canceled: true));
            await load.AnswersAsync(100);
            await RegisterAsync(api, "one");
            using var gone = await api.DeleteAsync($"registry/instances/default/one/{oldest}?incarnation=1");
            await load.AnswersAsync(50);
        }

        Tell($"{deaths} deaths of instances, {load.Answers} answers, {load.Failures.Count} failures");
        Assert.Empty(load.Failures);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var id in instances.Keys) await StopAsync(id, new CancellationToken(canceled: true));
        directory.Dispose();
    }

    private Task<GroundworkProcess> StartAsync() => GroundworkProcess.StartAsync(
        directory.Combine("data"), ["run", .. GroundworkProcess.AnyPorts]);

    // Answers after a moment, so that at any time something is under way.
    private async Task RegisterAsync(HttpClient api, string service)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            context.Response.ContentLength = 2;
            await context.Response.WriteAsync("ok");
        });
        await app.StartAsync();
        var address = IPEndPoint.Parse(new Uri(app.Urls.First()).Authority);
        var id = string.Create(CultureInfo.InvariantCulture, $"i{Interlocked.Increment(ref started):000}");
        instances[id] = app;
        using var registered = await api.PutAsJsonAsync(
            "registry/instances",
            new InstanceDocument(service, address.Address.ToString(), address.Port)
            {
                Id = id, Incarnation = 1, LeaseSeconds = 600,
            },
            WireJson.Strict.InstanceDocument);
        Assert.True(registered.IsSuccessStatusCode, await registered.Content.ReadAsStringAsync());
    }

    private async Task StopAsync(string id, CancellationToken patience)
    {
        if (!instances.TryRemove(id, out var app)) return;
        await app.StopAsync(patience);
        await app.DisposeAsync();
    }

    private static string Route(string service, int change, string path = "/**") => $$$$"""
        {"match":{"hosts":["*"],"path":"{{{{path}}}}"},"service":"{{{{service}}}}",
         "request":{"headers":{"set":{"X-Change":"{{{{change}}}}"}}},
         "response":{"headers":{"set":{"X-Change":"{{{{change}}}}"}}},
         "limits":[{"name":"plenty","bucket":{"requests":{{{{98_000 + change}}}} } }],
         "timeouts":{"connectMs":20000,"responseHeadMs":20000}}
        """;

    private static async Task PutAsync(HttpClient api, string path, string spec)
    {
        using var body = new StringContent($$"""{"spec":{{spec}}}""", null, "application/json");
        using var put = await api.PutAsync($"resources/{path}", body);
        Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync());
    }

    private static async Task DeleteAsync(HttpClient api, string path)
    {
        using var deleted = await api.DeleteAsync($"resources/{path}");
        Assert.True(deleted.IsSuccessStatusCode, await deleted.Content.ReadAsStringAsync());
    }

    private static void Tell(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    private static string Seconds(long began) =>
        TimeProvider.System.GetElapsedTime(began).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
}

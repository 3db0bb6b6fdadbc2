using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Groundwork.Client.Tests.Registration;

public sealed class InstanceRegistrationTests
{
    [Fact]
    public async Task It_registers_the_real_address_once_the_server_listens()
    {
        await using var platform = await PlatformStub.StartAsync();
        await using var host = await ClientHost.StartAsync(platform.Address, configure: options =>
        {
            options.InstanceId = "orders-1";
            options.Zone = "eu-1";
            options.Metadata["team"] = "shop";
        });

        await Eventually.TrueAsync(() => platform.Count("PUT /registry/instances") == 1, "registered");

        var document = Registrations(platform).Single();
        Assert.Equal(("orders", "127.0.0.1", host.Port), (document.Service, document.Host, document.Port));
        Assert.Equal(
            ("orders-1", "up", 15, "eu-1"), (document.Id, document.Status, document.LeaseSeconds, document.Zone));
        Assert.Equal("shop", document.Metadata?["team"]);
        Assert.True(document.Incarnation > 0);
        await Eventually.TrueAsync(async () => await HealthAsync(host) == HealthStatus.Healthy, "healthy");
    }

    [Fact]
    public async Task It_renews_three_times_within_a_lease()
    {
        await using var platform = await PlatformStub.StartAsync();
        var time = new ManualTimeProvider();
        await using var host = await ClientHost.StartAsync(platform.Address, configure: options => options.Time = time);
        await Eventually.TrueAsync(() => host.Log.Has("Registered orders"), "registered");

        // 4.25 to 5 s apart: after 15 s at least three were sent, and four at the most.
        for (var i = 0; i < 60; i++)
        {
            await time.TimersAsync(2);
            time.Advance(TimeSpan.FromMilliseconds(250));
            var due = i >= 19 ? 1 : 0;
            await Eventually.TrueAsync(() =>
                platform.Count("PUT /registry/renewals") >= due, "the first renewal is sent in time");
        }
        var passed = TimeSpan.FromSeconds(15);
        await Eventually.TrueAsync(
            () =>
            {
                if (platform.Count("PUT /registry/renewals") >= 2) return true;
                // On a busy machine the next one may have been planned only after the clock was moved on.
                time.Advance(TimeSpan.FromMilliseconds(50));
                passed += TimeSpan.FromMilliseconds(50);
                return false;
            },
            "renewed again");

        Assert.InRange(platform.Count("PUT /registry/renewals"), 2, (int)(passed.TotalSeconds / 4.25) + 1);
    }

    [Fact]
    public async Task An_instance_the_platform_forgot_registers_again()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.LeaseSeconds = 1;
        platform.ForgetsInstances = false;
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => platform.Count("PUT /registry/renewals") >= 1, "renewed");

        platform.ForgetsInstances = true;

        await Eventually.TrueAsync(() => platform.Count("PUT /registry/instances") == 2, "registered again");
        Assert.True(host.Log.Has("instance_not_found"));
        Assert.Single(Registrations(platform).Select(one => one.Incarnation).Distinct());
    }

    [Fact]
    public async Task It_keeps_trying_when_the_first_registration_is_refused()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Failures["/registry/instances"] = (403, "forbidden");
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => host.Log.Has("Cannot register orders; tries again. forbidden"), "refused");
        Assert.Equal(HealthStatus.Degraded, await HealthAsync(host));

        platform.Failures.Clear();

        await Eventually.TrueAsync(async () =>
            await HealthAsync(host) == HealthStatus.Healthy, "registered in the end");
    }

    [Fact]
    public async Task A_clean_stop_drains_waits_finishes_and_then_leaves()
    {
        await using var platform = await PlatformStub.StartAsync();
        var seen = new TaskCompletionSource();
        platform.WatchersSeen = seen.Task;
        var finish = new TaskCompletionSource();
        var steps = new ConcurrentQueue<string>();
        await using var host = await ClientHost.StartAsync(platform.Address, map: app =>
        {
            app.MapGet("/slow", async () =>
            {
                steps.Enqueue("slow began");
                await finish.Task;
                steps.Enqueue("slow finished");
                return "done";
            });
            app.MapGet("/quick", () => "quick");
        });
        await Eventually.TrueAsync(() => host.Log.Has("Registered orders"), "registered");
        using var caller = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{host.Port}") };
        var slow = caller.GetStringAsync("/slow");
        await Eventually.TrueAsync(() => steps.Contains("slow began"), "a request is in flight");

        var stopping = host.App.StopAsync();
        await Eventually.TrueAsync(() =>
            platform.Count("GET /registry/services/default/orders/watchers") == 1, "it waits");

        // Draining: it still serves, says that connections should go, is not ready, and has not left.
        using var quick = await caller.GetAsync("/quick");
        Assert.Equal(HttpStatusCode.OK, quick.StatusCode);
        Assert.True(quick.Headers.ConnectionClose);
        Assert.Equal(HealthStatus.Unhealthy, await HealthAsync(host));
        Assert.Contains("index=41&wait=", platform.Calls.Last(), StringComparison.Ordinal);
        seen.SetResult();

        // Not accepting any more, and the request in flight is waited for before it leaves.
        await Eventually.TrueAsync(() => RefusesAsync(host.Port), "it stops accepting");
        Assert.Equal(0, platform.Count("DELETE"));
        Assert.False(stopping.IsCompleted);
        finish.SetResult();

        Assert.Equal("done", await slow);
        await stopping;
        Assert.StartsWith(
            "DELETE /registry/instances/default/orders/", platform.Calls.Last(), StringComparison.Ordinal);
        Assert.Contains($"incarnation={Registrations(platform).Single().Incarnation}", platform.Calls.Last(),
            StringComparison.Ordinal);
        Assert.Equal(["slow began", "slow finished"], steps);
    }

    [Fact]
    public async Task No_request_fails_while_an_instance_stops_cleanly()
    {
        await using var platform = await PlatformStub.StartAsync();
        await using var leaving = await StartCatalogAsync(platform, "catalog-1");
        await using var staying = await StartCatalogAsync(platform, "catalog-2");
        platform.PublishService(platform.Service("catalog", 2, leaving.Port, staying.Port));
        await using var caller = await ClientHost.StartAsync(platform.Address);
        using var warm = await caller.Http.PostAsync("http://catalog/", new StringContent("x"));
        await Eventually.TrueAsync(() =>
            platform.Count("GET /registry/watch?namespace=default&service=catalog") == 1, "watching");
        using var done = new CancellationTokenSource();
        var failures = new ConcurrentQueue<string>();
        var answers = 0;
        var load = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                try
                {
                    // POST: nothing that was sent may be sent again, so nothing hides a failure.
                    using var response = await caller.Http.PostAsync("http://catalog/", new StringContent("x"));
                    response.EnsureSuccessStatusCode();
                    Interlocked.Increment(ref answers);
                }
                catch (HttpRequestException fault)
                {
                    failures.Enqueue(fault.Message);
                }
            }
        })).ToArray();
        await Eventually.TrueAsync(() => answers > 500, "load runs");

        // As the platform does: the drain is a new list, and watchers have been sent it.
        var stopping = leaving.App.StopAsync();
        await Eventually.TrueAsync(() =>
            platform.Count("POST /registry/instances/default/catalog/catalog-1/drain") == 1, "drains");
        platform.PublishService(platform.Service("catalog", 3, staying.Port));
        await stopping;
        var after = answers;
        await Eventually.TrueAsync(() => answers > after + 500, "load goes on");
        await done.CancelAsync();
        await Task.WhenAll(load);

        Assert.Empty(failures);
    }

    [Fact]
    public async Task A_stop_while_it_registers_waits_for_the_answer_drains_and_leaves()
    {
        await using var platform = await PlatformStub.StartAsync();
        var answer = new TaskCompletionSource();
        platform.RegistrationsHeld = answer.Task;
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => platform.Count("PUT /registry/instances") == 1, "it registers");

        var stopping = host.App.StopAsync();
        await Eventually.TrueAsync(() => HealthIsAsync(host, HealthStatus.Unhealthy), "it drains");
        answer.SetResult();
        await stopping;

        Assert.Equal(1, platform.Count("POST /registry/instances/default/orders/"));
        Assert.Equal(1, platform.Count("DELETE /registry/instances/default/orders/"));
    }

    [Fact]
    public async Task A_registration_that_nobody_answered_is_left_all_the_same()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.RegistrationsHeld = new TaskCompletionSource().Task;
        await using var host = await ClientHost.StartAsync(
            platform.Address, configure: options => options.InstanceId = "orders-7");
        await Eventually.TrueAsync(() => platform.Count("PUT /registry/instances") == 1, "it registers");

        await host.App.StopAsync();

        Assert.Equal(1, platform.Count("DELETE /registry/instances/default/orders/orders-7"));
        Assert.Contains($"incarnation={Registrations(platform).First().Incarnation}", platform.Calls.Last(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_with_the_platform_away_does_not_wait()
    {
        var platform = await PlatformStub.StartAsync();
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => host.Log.Has("Registered orders"), "registered");
        await platform.DisposeAsync();
        var began = TimeProvider.System.GetTimestamp();

        await host.App.StopAsync();

        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(4.5));
        Assert.True(host.Log.Has("Warning: Cannot drain before the stop"));
    }

    [Fact]
    public async Task The_wait_for_watchers_ends_after_the_limit()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.WatchersSeen = new TaskCompletionSource().Task;
        await using var host = await ClientHost.StartAsync(
            platform.Address, configure: options => options.DrainTimeout = TimeSpan.FromMilliseconds(300));
        await Eventually.TrueAsync(() => host.Log.Has("Registered orders"), "registered");

        await host.App.StopAsync();

        Assert.Equal(1, platform.Count("DELETE"));
    }

    [Fact]
    public async Task A_host_that_does_not_register_still_reads_settings()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "main", "json", """{"Key":"1"}"""));
        await using var host =
            await ClientHost.StartAsync(platform.Address, configure: options => options.Register = false);

        Assert.Equal("1", host.Configuration["Key"]);
        Assert.Equal(HealthStatus.Healthy, await HealthAsync(host));
        await host.App.StopAsync();
        Assert.Equal(0, platform.Count("PUT"));
    }

    private static Task<ClientHost> StartCatalogAsync(PlatformStub platform, string id) => ClientHost.StartAsync(
        platform.Address,
        configure: options =>
        {
            options.ServiceName = "catalog";
            options.InstanceId = id;
        },
        map: app => app.MapPost("/", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            return await reader.ReadToEndAsync();
        }));

    private static IEnumerable<InstanceDocument> Registrations(PlatformStub platform) => platform.Bodies
        .Where(body => body.StartsWith("{\"service\"", StringComparison.Ordinal))
        .Select(body => JsonSerializer.Deserialize(body, WireJson.Strict.InstanceDocument)!);

    private static async Task<bool> RefusesAsync(int port)
    {
        try
        {
            using var socket = new System.Net.Sockets.TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return false;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return true;
        }
    }

    private static async Task<bool> HealthIsAsync(ClientHost host, HealthStatus status) =>
        await HealthAsync(host) == status;

    private static async Task<HealthStatus> HealthAsync(ClientHost host) =>
        (await host.App.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Status;
}

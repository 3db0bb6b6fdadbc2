using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Groundwork.Client.Tests.Disk;

public sealed class StartWithoutPlatformTests : IDisposable
{
    private readonly TemporaryDirectory state = new();

    [Fact]
    public async Task A_host_starts_with_the_platform_away_and_nothing_on_disk()
    {
        await using var host = await ClientHost.StartAsync($"http://127.0.0.1:{FreePort.Next()}", state.Path);

        Assert.True(host.Log.Has("Warning: Starts without the platform's settings"));
        Assert.Equal(HealthStatus.Degraded, await HealthAsync(host));
    }

    [Theory]
    [InlineData("not HTTP at all\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\nthis is no gzip data")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 73\r\n\r\n"
        + """{"storeId":"s","revision":5,"namespace":"default","settings":[null, null]}""")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{\"storeId\":")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}")]
    public async Task A_host_starts_and_stops_whatever_answers_at_the_platforms_address(string answer)
    {
        await using var other = new FixedAnswer(answer);
        await using var host = await ClientHost.StartAsync($"http://127.0.0.1:{other.Port}", state.Path);

        Assert.True(host.Log.Has("Warning: Starts without the platform's settings"));
        await host.App.StopAsync();
    }

    [Fact]
    public async Task A_platform_that_accepts_and_says_nothing_delays_the_start_only_so_long()
    {
        await using var platform = await PlatformStub.StartAsync();
        var hold = new TaskCompletionSource();
        platform.SettingsHeld = hold.Task;
        var began = TimeProvider.System.GetTimestamp();

        await using var host = await ClientHost.StartAsync(
            platform.Address, configure: options => options.StartupTimeout = TimeSpan.FromMilliseconds(300));

        Assert.InRange(
            TimeProvider.System.GetElapsedTime(began), TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(10));
        hold.SetResult();
    }

    [Fact]
    public async Task A_host_starts_from_disk_and_takes_over_when_the_platform_comes_back()
    {
        await using var catalog = await ServiceStub.StartAsync();
        var port = FreePort.Next();
        await using (var platform = await PlatformStub.StartAsync(port))
        {
            platform.Publish(("orders", "main", "json", """{"Key":"before"}"""));
            platform.PublishService(platform.Service("catalog", 5, catalog.Port));
            await using var first = await ClientHost.StartAsync(platform.Address, state.Path);
            Assert.Equal($"{catalog.Port}", await first.Http.GetStringAsync("http://catalog/"));
            await first.App.StopAsync();
        }

        await using var second = await ClientHost.StartAsync($"http://127.0.0.1:{port}", state.Path);

        Assert.Equal("before", second.Configuration["Key"]);
        Assert.Equal($"{catalog.Port}", await second.Http.GetStringAsync("http://catalog/"));
        Assert.Equal(HealthStatus.Degraded, await HealthAsync(second));

        await using var back = await PlatformStub.StartAsync(port);
        back.Revision = 20;
        back.Publish(("orders", "main", "json", """{"Key":"after"}"""));
        await Eventually.TrueAsync(() =>
            second.Configuration["Key"] == "after", "the platform's settings are in force again");
        await Eventually.TrueAsync(async () => await HealthAsync(second) == HealthStatus.Healthy, "healthy again");
        Assert.True(second.Log.Has("Information: The platform at"));
    }

    [Fact]
    public async Task A_running_service_keeps_calling_while_the_platform_is_down()
    {
        await using var catalog = await ServiceStub.StartAsync();
        var platform = await PlatformStub.StartAsync();
        platform.PublishService(platform.Service("catalog", 5, catalog.Port));
        await using var host = await ClientHost.StartAsync(platform.Address, state.Path);
        await host.Http.GetStringAsync("http://catalog/");

        await platform.DisposeAsync();

        await Eventually.TrueAsync(async () => await HealthAsync(host) == HealthStatus.Degraded, "it knows");
        Assert.Equal($"{catalog.Port}", await host.Http.GetStringAsync("http://catalog/"));
    }

    [Fact]
    public async Task With_a_full_disk_the_service_goes_on_and_the_file_is_written_when_there_is_place()
    {
        const string Full = "/dev/full";
        Assert.SkipUnless(File.Exists(Full), $"there is no {Full}");
        Directory.CreateDirectory(state.Combine("default", "orders"));
        // Where the file is written before it takes its name; the first write fails as on a full disk.
        File.CreateSymbolicLink(
            state.Combine("default", "orders", $"default.snapshot.{Environment.ProcessId}.tmp"), Full);
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "main", "json", """{"Key":"1"}"""));

        await using var host = await ClientHost.StartAsync(platform.Address, state.Path);

        await Eventually.TrueAsync(() => host.Log.Has("Warning: Cannot write the disk snapshot"), "it is told");
        Assert.Equal("1", host.Configuration["Key"]);
        await Eventually.TrueAsync(
            () => File.Exists(state.Combine("default", "orders", "default.snapshot")), "it is written later");
        Assert.Single(host.Log.Lines, line => line.Contains("Cannot write the disk", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_damaged_snapshot_is_ignored_with_a_warning()
    {
        state.Write("default/orders/default.snapshot", "groundwork-client-snapshot 1 00\n{}");

        await using var host = await ClientHost.StartAsync($"http://127.0.0.1:{FreePort.Next()}", state.Path);

        Assert.True(host.Log.Has("Warning: The disk snapshot is ignored"));
    }

    [Fact]
    public async Task Remembered_services_nobody_asked_for_survive_a_second_start()
    {
        await using var catalog = await ServiceStub.StartAsync();
        var address = $"http://127.0.0.1:{FreePort.Next()}";
        await using (var platform = await PlatformStub.StartAsync(new Uri(address).Port))
        {
            platform.PublishService(platform.Service("catalog", 5, catalog.Port));
            platform.PublishService(platform.Service("payments", 6, catalog.Port));
            await using var first = await ClientHost.StartAsync(address, state.Path);
            await first.Http.GetStringAsync("http://catalog/");
            await first.Http.GetStringAsync("http://payments/");
            await first.App.StopAsync();
        }
        await using (var second = await ClientHost.StartAsync(address, state.Path))
        {
            await second.Http.GetStringAsync("http://payments/");
            await second.App.StopAsync();
        }

        await using var third = await ClientHost.StartAsync(address, state.Path);

        Assert.Equal($"{catalog.Port}", await third.Http.GetStringAsync("http://catalog/"));
    }

    public void Dispose() => state.Dispose();

    private static async Task<HealthStatus> HealthAsync(ClientHost host) =>
        (await host.App.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Status;
}

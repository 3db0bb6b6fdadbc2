using System.Net;
using Groundwork.Client.Settings;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Groundwork.Client.Tests.Calls;

public sealed class LivePolicyTests : IAsyncLifetime
{
    private PlatformStub platform = null!; // Set before each test.
    private ServiceStub first = null!;
    private ServiceStub second = null!;

    public async ValueTask InitializeAsync()
    {
        platform = await PlatformStub.StartAsync();
        first = await ServiceStub.StartAsync();
        second = await ServiceStub.StartAsync();
        platform.PublishService(platform.Service("catalog", 2, first.Port, second.Port));
    }

    public async ValueTask DisposeAsync()
    {
        await platform.DisposeAsync();
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task A_policy_published_on_the_platform_holds_without_a_restart()
    {
        first.Instead = second.Instead = Fail;
        await using var host = await ClientHost.StartAsync(platform.Address);
        using (var answer = await host.Http.GetAsync("http://catalog/")) Assert.Equal(503, (int)answer.StatusCode);
        Assert.Equal(1, Requests); // An answer is an answer.

        platform.Publish(("shared", "calls", "yaml", """
            Groundwork: { Calls: { catalog: { Retry: { Max: 3, Delay: 1ms, Statuses: [503] } } } }
            """));
        await Eventually.TrueAsync(() => host.Log.Has("The policies of calls have changed, 3 keys"), "taken over");

        using (var answer = await host.Http.GetAsync("http://catalog/")) Assert.Equal(503, (int)answer.StatusCode);
        Assert.Equal(1 + 4, Requests);
        Assert.Equal(["2", "3", "4"], Seen().Order(StringComparer.Ordinal));

        platform.Publish(("shared", "calls", "yaml", null));
        await Eventually.TrueAsync(() => host.Log.Has("The policies of calls have changed, 0 keys"), "taken back");
        using (var answer = await host.Http.GetAsync("http://catalog/")) Assert.Equal(503, (int)answer.StatusCode);
        Assert.Equal(1 + 4 + 1, Requests);
    }

    [Fact]
    public async Task A_policy_with_a_fault_is_refused_whole_and_named_and_the_last_good_one_stays()
    {
        first.Instead = second.Instead = Fail;
        await using var host = await ClientHost.StartAsync(platform.Address);
        platform.Publish(("shared", "calls", "yaml", """
            Groundwork: { Calls: { catalog: { Retry: { Max: 2, Delay: 1ms, Statuses: 503 } } } }
            """));
        await Eventually.TrueAsync(() => host.Log.Has("The policies of calls have changed"), "taken over");

        platform.Publish(("shared", "calls", "yaml", """
            Groundwork: { Calls: { catalog: { Retry: { Max: 9, Dealy: 1ms, Statuses: 503 } } } }
            """));

        await Eventually.TrueAsync(
            () => host.Log.Has("Error: The policies of calls have faults; the last good ones stay in force. "
                + "Groundwork:Calls:catalog:Retry:Dealy is not a key of a call policy."),
            "the key is named");
        using var answer = await host.Http.GetAsync("http://catalog/");
        Assert.Equal(3, Requests);
    }

    [Fact]
    public async Task Policies_come_from_the_hosts_own_configuration_too()
    {
        first.Instead = second.Instead = Hang;
        await using var host = await ClientHost.StartAsync(platform.Address, before: builder =>
        {
            builder.Configuration["Groundwork:Calls:*:TryTimeout"] = "100ms";
            builder.Configuration["Groundwork:Calls:catalog:Methods:GET /once:Retry"] = "off";
        });

        var fault = await Assert.ThrowsAsync<GroundworkCallException>(() => host.Http.GetAsync("http://catalog/once"));

        Assert.Equal(("upstream_timeout", "catalog"), (fault.Code, fault.Service));
        Assert.Equal(1, Requests);
        await Assert.ThrowsAsync<GroundworkCallException>(() => host.Http.GetAsync("http://catalog/twice"));
        Assert.Equal(3, Requests);
    }

    [Fact]
    public async Task The_total_time_out_ends_all_tries_and_pauses()
    {
        first.Instead = second.Instead = Hang;
        await using var host = await ClientHost.StartAsync(platform.Address, before: builder =>
        {
            builder.Configuration["Groundwork:Calls:catalog:TotalTimeout"] = "1500ms";
            builder.Configuration["Groundwork:Calls:catalog:TryTimeout"] = "1s";
            builder.Configuration["Groundwork:Calls:catalog:Retry:Max"] = "9";
        });
        var began = TimeProvider.System.GetTimestamp();

        var fault = await Assert.ThrowsAsync<GroundworkCallException>(() => host.Http.GetAsync("http://catalog/"));

        Assert.Equal("deadline_exceeded", fault.Code);
        Assert.InRange(
            TimeProvider.System.GetElapsedTime(began), TimeSpan.FromMilliseconds(1500), TimeSpan.FromSeconds(10));
        Assert.Equal(2, Requests);
    }

    [Fact]
    public async Task A_candidate_can_be_checked_before_it_is_taken_over()
    {
        await using var host = await ClientHost.StartAsync(platform.Address);
        ISettingsCheck check = host.App.Services.GetRequiredService<GroundworkServices>().Plans;
        var candidate = new ConfigurationBuilder().AddInMemoryCollection(
            [new("Groundwork:Calls:catalog:Retry:Max", "many")]).Build();

        Assert.Contains("Groundwork:Calls:catalog:Retry:Max 'many'", check.Check(candidate), StringComparison.Ordinal);
        Assert.Null(check.Check(host.Configuration));
    }

    private int Requests => first.Requests.Count + second.Requests.Count;

    private IEnumerable<string> Seen() => first.Requests.Concat(second.Requests)
        .Select(request => request.Headers["Groundwork-Attempt"].ToString())
        .Where(text => text.Length > 0);

    private static Task Fail(HttpContext context)
    {
        context.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
        return Task.CompletedTask;
    }

    private static Task Hang(HttpContext context) => Task
        .Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
        .ContinueWith(_ => { }, TaskScheduler.Default);
}

using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Groundwork.Client.Tests.Discovery;

public sealed class CallByNameTests : IAsyncLifetime
{
    private PlatformStub platform = null!; // Set before each test.
    private ServiceStub first = null!;
    private ServiceStub second = null!;

    public async ValueTask InitializeAsync()
    {
        platform = await PlatformStub.StartAsync();
        first = await ServiceStub.StartAsync();
        second = await ServiceStub.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await platform.DisposeAsync();
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task A_client_of_the_factory_calls_both_instances_by_name()
    {
        await using var host = await StartAsync(first.Port, second.Port);

        for (var i = 0; i < 40; i++) await host.Http.GetStringAsync("http://catalog/products?page=2");

        Assert.NotEmpty(first.Requests);
        Assert.NotEmpty(second.Requests);
        Assert.All(first.Requests, request => Assert.Equal("/products", request.Path));
    }

    [Fact]
    public async Task A_client_made_by_hand_calls_by_name_too_also_synchronously()
    {
        await using var host = await StartAsync(first.Port);
        using var client = new HttpClient(host.App.Services.GetRequiredService<GroundworkServices>().CreateHandler());

        Assert.Equal($"{first.Port}", await client.GetStringAsync("http://catalog/"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://catalog/");
        using var response = client.Send(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task The_callee_sees_who_calls_and_the_trace()
    {
        await using var host = await StartAsync(first.Port);
        await Eventually.TrueAsync(() => platform.Count("PUT /registry/instances") == 1, "registered");
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();

        using var request = new HttpRequestMessage(HttpMethod.Get, "http://catalog/");
        request.Headers.Add(HeaderNames.Caller, "default/admin/forged");
        using var response = await host.Http.SendAsync(request);

        var headers = Assert.Single(first.Requests).Headers;
        Assert.Equal($"default/orders/127.0.0.1:{host.Port}", headers[HeaderNames.Caller]);
        Assert.Contains(activity.TraceId.ToHexString(), headers["traceparent"].ToString(), StringComparison.Ordinal);
        Assert.Equal(new Uri("http://catalog/"), response.RequestMessage?.RequestUri);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task A_call_that_could_not_connect_is_tried_on_another_instance(string method)
    {
        var dead = FreePort.Next();
        await using var host = await StartAsync(dead, first.Port);

        for (var i = 0; i < 20; i++)
        {
            using var request =
                new HttpRequestMessage(new HttpMethod(method), "http://catalog/") { Content = new StringContent("x") };
            using var response = await host.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
        Assert.Equal(20, first.Requests.Count);
    }

    [Fact]
    public async Task A_safe_call_that_broke_off_is_tried_on_another_instance()
    {
        first.Instead = Abort;
        await using var host = await StartAsync(first.Port, second.Port);

        for (var i = 0; i < 10; i++) Assert.Equal($"{second.Port}", await host.Http.GetStringAsync("http://catalog/"));
    }

    [Fact]
    public async Task An_unsafe_call_that_was_sent_is_not_tried_again()
    {
        first.Instead = Abort;
        second.Instead = Abort;
        await using var host = await StartAsync(first.Port, second.Port);

        var fault = await Assert.ThrowsAsync<GroundworkCallException>(
            () => host.Http.PostAsync("http://catalog/", new StringContent("pay")));

        Assert.Equal(1, first.Requests.Count + second.Requests.Count);
        Assert.Contains("service 'catalog', instance catalog-", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_safe_call_is_tried_twice_and_no_more()
    {
        first.Instead = Abort;
        second.Instead = Abort;
        await using var host = await StartAsync(first.Port, second.Port);

        await Assert.ThrowsAsync<GroundworkCallException>(() => host.Http.GetAsync("http://catalog/"));

        Assert.Equal(2, first.Requests.Count + second.Requests.Count);
    }

    [Fact]
    public async Task An_error_status_is_an_answer_and_not_tried_again()
    {
        first.Instead = context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        await using var host = await StartAsync(first.Port);

        using var response = await host.Http.GetAsync("http://catalog/");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Single(first.Requests);
    }

    [Fact]
    public async Task An_instance_that_hangs_is_given_up_in_time_and_then_left_out()
    {
        first.Instead = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        await using var host = await StartAsync(
            options => options.ResponseHeadTimeout = TimeSpan.FromMilliseconds(200), first.Port, second.Port);

        for (var i = 0; i < 40; i++) Assert.Equal($"{second.Port}", await host.Http.GetStringAsync("http://catalog/"));

        Assert.Equal(2, first.Requests.Count);
    }

    [Fact]
    public async Task A_request_may_allow_its_answer_more_time()
    {
        var slow = new TaskCompletionSource();
        first.Instead = async context =>
        {
            await slow.Task;
            await context.Response.WriteAsync("at last");
        };
        await using var host = await StartAsync(
            options => options.ResponseHeadTimeout = TimeSpan.FromMilliseconds(100), first.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://catalog/");
        request.Options.Set(GroundworkRequest.ResponseHeadTimeout, Timeout.InfiniteTimeSpan);

        var sending = host.Http.SendAsync(request);
        await Assert.ThrowsAsync<GroundworkCallException>(() => host.Http.GetAsync("http://catalog/"));
        slow.SetResult();

        using var response = await sending;
        Assert.Equal("at last", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_answer_is_load_until_its_body_ends()
    {
        var rest = new TaskCompletionSource();
        first.Instead = async context =>
        {
            await context.Response.WriteAsync("long");
            await rest.Task;
        };
        await using var host = await StartAsync(first.Port, second.Port);
        HttpResponseMessage? running = null;
        // Until one is on its way from the first; what the second answers is over at once.
        while (first.Requests.Count == 0)
        {
            if (await host.Http.GetAsync("http://catalog/", HttpCompletionOption.ResponseHeadersRead) is var answer
                && first.Requests.Count > 0) running = answer;
            else answer.Dispose();
        }

        for (var i = 0; i < 20; i++) Assert.Equal($"{second.Port}", await host.Http.GetStringAsync("http://catalog/"));
        Assert.Single(first.Requests);

        rest.SetResult();
        Assert.Equal("long", await running!.Content.ReadAsStringAsync()); // Set by the loop, or it would not end.
        running.Dispose();
        first.Instead = null;
        await Eventually.TrueAsync(
            async () => await host.Http.GetStringAsync("http://catalog/") == $"{first.Port}", "it is chosen again");
    }

    [Fact]
    public async Task A_caller_that_cancels_gets_its_cancellation()
    {
        await using var host = await StartAsync(first.Port, second.Port);
        using var cancel = new CancellationTokenSource();
        first.Instead = async context =>
        {
            await cancel.CancelAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        };
        second.Instead = first.Instead;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            host.Http.GetAsync("http://catalog/", cancel.Token));

        Assert.Equal(1, first.Requests.Count + second.Requests.Count);
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/")]
    [InlineData("http://localhost:{0}/")]
    public async Task Other_hosts_pass_through_untouched(string address)
    {
        await using var host = await StartAsync(second.Port);

        await host.Http.GetStringAsync(string.Format(null, address, first.Port));

        Assert.False(Assert.Single(first.Requests).Headers.ContainsKey(HeaderNames.Caller));
        Assert.Equal(0, platform.Count("GET /registry/services"));
    }

    [Fact]
    public async Task A_name_the_registry_does_not_know_passes_through_and_is_asked_again_later()
    {
        await using var host = await StartAsync(first.Port);

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => host.Http.GetAsync("http://nowhere-at-all/"));
        Assert.Equal(HttpRequestError.NameResolutionError, fault.HttpRequestError);

        platform.PublishService(platform.Service("nowhere-at-all", 3, second.Port));
        await Eventually.PassesAsync(
            async () => Assert.Equal($"{second.Port}", await host.Http.GetStringAsync("http://nowhere-at-all/")));
    }

    [Fact]
    public async Task A_declared_service_without_an_instance_is_named_in_the_fault()
    {
        await using var host = await ClientHost.StartAsync(
            platform.Address, configure: options => options.Services = ["stock.eu"]);

        var fault = await Assert.ThrowsAsync<GroundworkCallException>(() => host.Http.GetAsync("http://stock.eu/"));

        Assert.Equal(("no_instance", "stock.eu"), (fault.Code, fault.Service));
    }

    [Fact]
    public async Task A_service_whose_last_instance_left_has_no_instance_to_call()
    {
        platform.PublishService(platform.Service("catalog", 2) with { EmptyReason = "deregistered" });
        await using var host = await ClientHost.StartAsync(platform.Address);

        var fault = await Assert.ThrowsAsync<GroundworkCallException>(() => host.Http.GetAsync("http://catalog/"));

        Assert.Equal(("no_instance", "catalog"), (fault.Code, fault.Service));
    }

    [Fact]
    public async Task A_changed_list_is_followed_over_one_connection_for_all_services()
    {
        await using var host = await StartAsync(first.Port);
        platform.PublishService(platform.Service("payments", 3, first.Port));
        await host.Http.GetStringAsync("http://catalog/");
        await host.Http.GetStringAsync("http://payments/");
        await Eventually.TrueAsync(
            () => platform.Count("GET /registry/watch?namespace=default&service=catalog&service=payments") == 1,
                "one watch");
        await Eventually.TrueAsync(() => platform.OpenStreams == 2, "the watch of settings, and one of services");

        platform.PublishService(platform.Service("catalog", 9, second.Port));

        await Eventually.PassesAsync(
            async () => Assert.Equal($"{second.Port}", await host.Http.GetStringAsync("http://catalog/")));
    }

    [Fact]
    public async Task Without_a_watch_lists_are_polled()
    {
        platform.Failures["/registry/watch"] = (405, "method_not_allowed");
        await using var host = await StartAsync(first.Port);
        await host.Http.GetStringAsync("http://catalog/");

        platform.PublishService(platform.Service("catalog", 9, second.Port));

        await Eventually.PassesAsync(
            async () => Assert.Equal($"{second.Port}", await host.Http.GetStringAsync("http://catalog/")));
    }

    [Fact]
    public async Task How_calls_went_is_reported_in_batches()
    {
        var dead = FreePort.Next();
        await using var host = await StartAsync(first.Port, dead);

        for (var i = 0; i < 20; i++) await host.Http.GetStringAsync("http://catalog/");

        await Eventually.TrueAsync(() => Reported("answered", first.Port) == 20, "twenty answers are reported");
        Assert.Equal(2, Reported("connect-failed", dead)); // Then it was left out.
        Assert.InRange(platform.Count("POST /registry/outcomes"), 1, 5);
    }

    private int Reported(string outcome, int port) => platform.Bodies
        .Where(body => body.StartsWith("{\"outcomes\"", StringComparison.Ordinal))
        .SelectMany(body => JsonSerializer.Deserialize(body, WireJson.Strict.OutcomeBatch)!.Outcomes)
        .Where(one => one.Outcome == outcome && one.Id == $"catalog-{port}")
        .Sum(one => one.Count);

    private Task<ClientHost> StartAsync(params int[] ports) => StartAsync(_ => { }, ports);

    private Task<ClientHost> StartAsync(Action<GroundworkOptions> configure, params int[] ports)
    {
        platform.PublishService(platform.Service("catalog", 2, ports));
        return ClientHost.StartAsync(platform.Address, configure: configure);
    }

    private static Task Abort(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }
}

using System.Net;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway;

public sealed class RoutingTests
{
    [Theory]
    [InlineData("GET", "evil.example", "/", 404, "host_unknown")]
    [InlineData("GET", "localhost", "/other", 404, "route_not_found")]
    [InlineData("POST", "localhost", "/api/x", 405, "method_not_allowed")]
    [InlineData("GET", "localhost", "/api/..;/x", 400, "bad_request")]
    [InlineData("GET", "localhost", "/api/x", 503, "no_instance")]
    public async Task What_cannot_be_routed_is_answered_with_its_code(
        string method, string host, string path, int status, string code)
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Match = new(["localhost"], "/api/**", ["GET"]) });
        using var connection = await RawConnection.ToAsync(edge.Address);
        await connection.WriteAsync($"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");

        var answer = await connection.ReadAnswerAsync();

        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
        using var problem = JsonDocument.Parse(answer[answer.IndexOf('{')..]);
        Assert.Equal(code, problem.RootElement.GetProperty("code").GetString());
        if (status == 405) Assert.Contains("Allow: GET\r\n", answer);
    }

    [Fact]
    public async Task A_changed_route_is_in_force_with_the_next_request_and_a_deleted_one_no_more()
    {
        await using var first = await WebInstance.NamedAsync("first");
        await using var second = await WebInstance.NamedAsync("second");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(first.Address);
        edge.Registry.Set("other", (second.Address.Address.ToString(), second.Address.Port, 100));
        Assert.Equal("first", await edge.Client.GetStringAsync("/"));

        edge.RouteAll(spec => spec with { Service = "other" });
        Assert.Equal("second", await edge.Client.GetStringAsync("/"));

        edge.Snapshots.Delete(new ResourceKey("route", "default", "all"));
        using var gone = await edge.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task An_instance_that_drains_gets_nothing_new_and_finishes_what_it_has()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var draining = await WebInstance.StartAsync(async context =>
        {
            await go.Task;
            await context.Response.WriteAsync("finished");
        });
        await using var other = await WebInstance.NamedAsync("other");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Timeouts = new(1_000, 60_000) }).Instances(draining.Address);
        var held = edge.Client.GetStringAsync("/");
        await Eventually.TrueAsync(() => draining.Requests == 1, "the request is under way");

        edge.Instances(other.Address);

        for (var request = 0; request < 20; request++) Assert.Equal("other", await edge.Client.GetStringAsync("/"));
        go.SetResult();
        Assert.Equal("finished", await held);
    }

    [Fact]
    public async Task A_killed_instance_costs_no_request_when_there_is_another()
    {
        await using var first = await WebInstance.NamedAsync("first");
        await using var second = await WebInstance.NamedAsync("second");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(first.Address, second.Address);
        for (var request = 0; request < 50; request++) await edge.Client.GetStringAsync("/");

        await first.KillAsync();

        for (var request = 0; request < 200; request++) Assert.Equal("second", await edge.Client.GetStringAsync("/"));
    }

    [Fact]
    public async Task A_gateway_that_stops_waits_for_requests_and_closes_their_connections()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            await go.Task;
            await context.Response.WriteAsync("finished");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Timeouts = new(1_000, 60_000) }).Instances(instance.Address);
        var held = edge.Client.GetStringAsync("/");
        await Eventually.TrueAsync(() => instance.Requests == 1, "the request is under way");

        var drained = edge.Module.DrainAsync(CancellationToken.None);

        Assert.False(drained.IsCompleted);
        go.SetResult();
        Assert.Equal("finished", await held);
        await drained.WaitAsync(Eventually.Patience);
        using var last = await edge.Client.GetAsync("/");
        Assert.True(last.Headers.ConnectionClose);
    }
}

using System.Net;
using System.Text.Json.Nodes;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry.Protocols;

/// <summary>Blocking queries: whom a change wakes, how long one waits, and that no index goes back.</summary>
public sealed class ConsulBlockingTests(PostgresServer postgres)
{
    [Fact]
    public async Task Query_waits_for_its_own_service_and_no_longer_than_it_says()
    {
        await using var node = await ConsulNode.StartAsync();
        await RegisterAsync(node, "web", "a");
        var (_, index) = await node.ReadAsync("/health/service/web");
        var started = TimeProvider.System.GetTimestamp();
        var waiting = node.ReadAsync($"/health/service/web?index={index}&wait=2s");
        for (var at = 0; at < 10; at++) await RegisterAsync(node, $"other{at}", $"o{at}");
        var (_, same) = await waiting;
        var waited = TimeProvider.System.GetElapsedTime(started);
        Assert.Equal(index, same);
        Assert.True(waited >= TimeSpan.FromSeconds(1.9), $"{waited}");
        Assert.True(waited < TimeSpan.FromSeconds(10), $"{waited}");
        waiting = node.ReadAsync($"/catalog/service/web?index={index}&wait=60s");
        await RegisterAsync(node, "web", "b");
        var (content, later) = await waiting;
        Assert.Equal(2, content!.AsArray().Count); // A list.
        Assert.True(later > index);
    }

    [Fact]
    public async Task Query_on_a_service_that_is_not_there_yet_waits_for_it()
    {
        await using var node = await ConsulNode.StartAsync();
        var (nothing, index) = await node.ReadAsync("/health/service/web");
        Assert.Equal(("[]", true), (nothing?.ToJsonString(), index > 0));
        var waiting = node.ReadAsync($"/health/service/web?index={index}&wait=60s");
        // The very first number that there is: one that is kept in memory takes no other before it.
        await node.RegisterOursAsync(new InstanceDocument("web", "10.0.0.1", 80) { Id = "a" });
        var (found, _) = await waiting.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
        Assert.Single(found!.AsArray()); // A list.
    }

    [Fact]
    public async Task Index_that_was_never_given_is_answered_at_once()
    {
        await using var node = await ConsulNode.StartAsync();
        await RegisterAsync(node, "web", "a");
        foreach (var path in new[] { "/health/service/web", "/catalog/services", "/health/state/any",
            "/catalog/nodes" })
        {
            var (_, index) = await node.ReadAsync(path);
            Assert.Equal(index, (await node.ReadAsync($"{path}?index=999999999999&wait=60s")).Index);
        }
    }

    [Fact]
    public async Task Names_of_services_have_an_index_that_instances_do_not_move()
    {
        await using var node = await ConsulNode.StartAsync();
        await RegisterAsync(node, "web", "a");
        var (_, index) = await node.ReadAsync("/catalog/services");
        await RegisterAsync(node, "web", "b");
        Assert.Equal(index, (await node.ReadAsync("/catalog/services")).Index);
        var waiting = node.ReadAsync($"/catalog/services?index={index}&wait=60s");
        await RegisterAsync(node, "web", "c");
        await RegisterAsync(node, "db", "d");
        var (names, later) = await waiting;
        Assert.Equal(("{\"db\":[],\"web\":[]}", true), (names?.ToJsonString(), later > index));
        var (_, any) = await node.ReadAsync("/health/state/any");
        var states = node.ReadAsync($"/health/state/any?index={any}&wait=60s");
        await node.PutAsync("/agent/service/deregister/d");
        Assert.True((await states).Index > any);
    }

    [Fact]
    public async Task Indexes_do_not_go_back_over_a_restart()
    {
        await using var node = await ConsulNode.StartAsync();
        await RegisterAsync(node, "web", "a");
        string[] paths = ["/health/service/web", "/health/service/none", "/catalog/services", "/health/state/any",
            "/catalog/nodes"];
        var before = new List<long>();
        foreach (var path in paths) before.Add((await node.ReadAsync(path)).Index);
        await node.RestartAsync();
        for (var at = 0; at < paths.Length; at++)
        {
            var index = (await node.ReadAsync(paths[at])).Index;
            Assert.True(index >= before[at], $"{paths[at]}: {index} after {before[at]}");
        }
        Assert.Single((await node.GetAsync("/health/service/web?passing"))!.AsArray()); // A list.
    }

    [Fact]
    public async Task Query_ends_when_the_node_stops_and_is_forgotten_when_the_caller_leaves()
    {
        await using var node = await ConsulNode.StartAsync();
        await RegisterAsync(node, "web", "a");
        foreach (var path in new[] { "/health/service/web", "/catalog/services" })
        {
            var (_, index) = await node.ReadAsync(path);
            using var leaving = new CancellationTokenSource();
            var left = node.Client.GetAsync($"/v1{path}?index={index}&wait=10m", leaving.Token);
            await Eventually.TrueAsync(async () =>
                await WatchersAsync(node) > 0 || path != "/health/service/web", "it waits");
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
            await Eventually.TrueAsync(async () => await WatchersAsync(node) == 0, "it is forgotten");
        }
        var (_, last) = await node.ReadAsync("/health/service/web");
        var waiting = node.Client.GetAsync($"/v1/health/service/web?index={last}&wait=10m");
        await Eventually.TrueAsync(async () => await WatchersAsync(node) > 0, "it waits");
        await node.Node.StopAsync();
        using var answer = await waiting;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Key_that_is_revoked_meanwhile_hears_nothing_more()
    {
        await using var node = await ConsulNode.StartAsync();
        await RegisterAsync(node, "web", "a");
        var other = node.As(await node.Node.MintAsync(
            "spy", [], [new Kernel.Security.Grant(["discover"], ["instance"], ["default"])]));
        var (_, index) = await node.ReadAsync("/health/service/web", other);
        var waiting = ConsulNode.SendAsync(other, "GET", $"/health/service/web?index={index}&wait=60s");
        await Eventually.TrueAsync(async () => await WatchersAsync(node) > 0, "it waits");
        using var revoked = await node.Node.Local.DeleteAsync("/groundwork/v1/resources/access-key/_/spy");
        Assert.True(revoked.IsSuccessStatusCode, await revoked.Content.ReadAsStringAsync());
        await RegisterAsync(node, "web", "b");
        Assert.Equal(HttpStatusCode.Forbidden, (await waiting).Status);
    }

    [Fact]
    public async Task Two_nodes_are_one_agent_with_one_index()
    {
        await using var nodes = await RegistryNodes.StartAsync(postgres);
        await SendAsync(nodes.A, "PUT", "/agent/service/register",
            """{"Name": "web", "ID": "a", "Port": 80, "Address": "10.0.0.1", "Check": {"TTL": "60s"}}""");
        await Eventually.TrueAsync(
            async () => (await SendAsync(nodes.B, "GET", "/health/service/web")).Content?.AsArray().Count == 1,
                "seen on the other");
        var (_, index) = await SendAsync(nodes.A, "GET", "/health/service/web");
        var waiting = PassingAsync(nodes.A, index);
        // The check is known there as soon as it has looked.
        await Eventually.PassesAsync(() => SendAsync(nodes.B, "PUT", "/agent/check/pass/service:a"));
        Assert.True(await waiting > index);
        await Eventually.TrueAsync(
            async () => (await SendAsync(nodes.A, "GET", "/health/service/web")).Index
                == (await SendAsync(nodes.B, "GET", "/health/service/web")).Index, "one index");
        var (_, names) = await SendAsync(nodes.B, "GET", "/catalog/services");
        var list = SendAsync(nodes.A, "GET", $"/catalog/services?index={names + 1}&wait=60s");
        await SendAsync(nodes.B, "PUT", "/agent/service/register", """{"Name": "db", "ID": "d", "Port": 80}""");
        Assert.True((await list).Index > names);
    }

    /// <summary>Asks as a watch does, until something passes; no index may go back.</summary>
    private static async Task<long> PassingAsync(RunningNode node, long index)
    {
        while (true)
        {
            var (passing, next) = await SendAsync(node, "GET", $"/health/service/web?passing&index={index}&wait=60s");
            Assert.True(next >= index, $"{next} after {index}");
            index = next;
            if (passing!.AsArray().Count == 1) return index; // A list.
        }
    }

    private static async Task<(JsonNode? Content, long Index)> SendAsync(
        RunningNode node, string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/v1{path}");
        if (body is not null) request.Content = new StringContent(body);
        using var answer = await node.Local.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode} {text}");
        return (text.Length == 0 ? null : JsonNode.Parse(text),
            answer.Headers.TryGetValues("X-Consul-Index", out var index)
            ? long.Parse(index.Single(), System.Globalization.CultureInfo.InvariantCulture)
            : 0);
    }

    private static async Task<int> WatchersAsync(ConsulNode node)
    {
        using var answer = await node.Node.Local.GetAsync(
            "/groundwork/v1/registry/services/default/web/watchers?wait=0s");
        return (int?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())?["watchers"] ?? -1;
    }

    private static Task RegisterAsync(ConsulNode node, string service, string id) => node.PutAsync(
        "/agent/service/register", $$"""{"Name": "{{service}}", "ID": "{{id}}", "Port": 80, "Address": "10.0.0.1"}""");
}

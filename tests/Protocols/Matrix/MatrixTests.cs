using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Builder;

namespace Groundwork.Tests.Protocols.Matrix;

/// <summary>
/// Whoever registers, by whatever protocol, is found by every other; whoever leaves is gone from all of them, and no
/// call through the gateway fails on the way.
/// </summary>
public sealed class MatrixTests(NpmClients clients)
{
    private const string Sdk = "sdk";

    private static readonly string[] Scripted = ["nacos", "eureka", "consul", "etcd"];

    [Theory]
    [InlineData("nacos")]
    [InlineData("eureka")]
    [InlineData("consul")]
    [InlineData("etcd")]
    [InlineData(Sdk)]
    public async Task Registered_by_one_found_by_all_and_gone_from_all(string protocol)
    {
        await using var node = await MatrixNode.StartAsync();
        await using var script = await ScriptAsync(node);
        var service = $"by-{protocol}";
        await node.RouteAsync(service);
        foreach (var seeker in Seekers) Assert.False(await SeesAsync(node, script, seeker, service, 0), seeker);

        await using var app = protocol == Sdk
            ? await node.ServiceAsync(service) : await MatrixNode.ServerAsync(service);
        var port = MatrixNode.PortOf(app);
        var began = TimeProvider.System.GetTimestamp();
        if (protocol != Sdk) await DoAsync(script, "register", protocol, service, port);
        foreach (var seeker in Seekers)
        {
            await WaitAsync(node, script, seeker, service, port, wanted: true);
            Tell(protocol, $"found by {seeker}", began);
        }

        began = TimeProvider.System.GetTimestamp();
        var outcomes = CallsAsync(node, service, until: HttpStatusCode.ServiceUnavailable);
        if (protocol == Sdk) await app.StopAsync();
        else await DoAsync(script, "deregister", protocol, service, port);
        foreach (var seeker in Seekers) await WaitAsync(node, script, seeker, service, port, wanted: false);
        Tell(protocol, "gone from all", began);
        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable], (await outcomes).Distinct().Order());
    }

    [Fact]
    public async Task An_operator_who_takes_an_instance_out_takes_it_out_everywhere()
    {
        await using var node = await MatrixNode.StartAsync();
        await using var script = await ScriptAsync(node);
        foreach (var protocol in Scripted)
        {
            var service = $"out-{protocol}";
            await node.RouteAsync(service);
            await using var app = await MatrixNode.ServerAsync(service);
            var port = MatrixNode.PortOf(app);
            await DoAsync(script, "register", protocol, service, port);
            foreach (var seeker in Seekers) await WaitAsync(node, script, seeker, service, port, wanted: true);

            var began = TimeProvider.System.GetTimestamp();
            await OverrideAsync(node, service, port, "out-of-service");
            foreach (var seeker in Seekers) await WaitAsync(node, script, seeker, service, port, wanted: false);
            Tell(protocol, "out of service everywhere", began);

            await OverrideAsync(node, service, port, "up");
            foreach (var seeker in Seekers) await WaitAsync(node, script, seeker, service, port, wanted: true);
        }
    }

    private static string[] Seekers => [.. Scripted, "dns", "xds", "gateway", Sdk];

    private async Task<NpmClient> ScriptAsync(MatrixNode node)
    {
        var script = clients.Run(
            "matrix.mjs", node.Api.Host, node.Api.Port.ToString(CultureInfo.InvariantCulture), node.Discovery,
            node.Key);
        TestContext.Current.SendDiagnosticMessage("{0}", await script.NextAsync("version"));
        await script.NextAsync("ready");
        return script;
    }

    private static async Task<JsonElement> DoAsync(
        NpmClient script, string what, string protocol, string service, int port)
    {
        await script.TellAsync(JsonSerializer.Serialize(new { @do = what, protocol, service, port }));
        var done = await script.NextAsync("done");
        if (what != "find")
            Assert.False(done.TryGetProperty("problem", out var problem), $"{protocol} {what}: {problem}");
        return done;
    }

    // With port 0 anything counts.
    private static async Task<bool> SeesAsync(
        MatrixNode node, NpmClient script, string seeker, string service, int port)
    {
        string[] found = seeker switch
        {
            "gateway" => await node.ThroughGatewayAsync(service) == HttpStatusCode.OK ? [$"127.0.0.1:{port}"] : [],
            Sdk => await node.BySdkAsync(service) == HttpStatusCode.OK ? [$"127.0.0.1:{port}"] : [],
            "dns" => await node.ByDnsAsync(service),
            _ => [.. (await DoAsync(script, "find", seeker, service, port)).GetProperty("found").EnumerateArray()
                .Select(one => one.GetString() ?? "")],
        };
        return port == 0 ? found.Length > 0 : found.Contains($"127.0.0.1:{port}");
    }

    private static Task WaitAsync(
        MatrixNode node, NpmClient script, string seeker, string service, int port, bool wanted) =>
        Eventually.TrueAsync(
            async () => await SeesAsync(node, script, seeker, service, port) == wanted,
            $"{seeker} {(wanted ? "finds" : "no longer finds")} {service}");

    // Calls without a pause, until one comes to that, or twenty seconds are over.
    private static async Task<List<HttpStatusCode>> CallsAsync(
        MatrixNode node, string service, HttpStatusCode until)
    {
        var outcomes = new List<HttpStatusCode>();
        var began = TimeProvider.System.GetTimestamp();
        do outcomes.Add(await node.ThroughGatewayAsync(service));
        while (outcomes[^1] != until && TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(20));
        return outcomes;
    }

    private static async Task OverrideAsync(MatrixNode node, string service, int port, string status)
    {
        using var listed = await node.Local.GetAsync(
            new Uri($"/groundwork/v1/registry/services/default/{service}", UriKind.Relative));
        using var document = JsonDocument.Parse(await listed.Content.ReadAsStringAsync());
        var id = document.RootElement.GetProperty("instances").EnumerateArray()
            .Single(one => one.GetProperty("port").GetInt32() == port).GetProperty("id").GetString();
        using var answer = await node.Local.PutAsJsonAsync(
            new Uri($"/groundwork/v1/resources/instance-override/default/default/{service}/{id}", UriKind.Relative),
            new { spec = new { status } });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static void Tell(string protocol, string what, long began) =>
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{protocol}: {what} after {TimeProvider.System.GetElapsedTime(began).TotalMilliseconds:0} ms"));
}

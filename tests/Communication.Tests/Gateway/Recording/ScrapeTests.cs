using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Tests.Gateway.Recording;

/// <summary>The API of a real node, asked by Prometheus's own tools and by a client.</summary>
public sealed class ScrapeTests : IAsyncLifetime
{
    private static readonly Grant ReadsMetrics = new(["read"], ["metrics"]);

    private RunningNode node = null!; // Set before each test.
    private HttpClient outside = null!;

    public async ValueTask InitializeAsync()
    {
        var registry = new RegistryModule();
        node = await RunningNode.StartAsync(
            [registry, new GatewayModule(() => registry.View, new GatewayOptions())]);
        outside = node.Client(listener: ListenerDefinition.Gateway);
        await PutAsync("a", new RouteSpec(new MatchSpec(["127.0.0.1"], "/a"), Respond: new AnswerSpec(200, "hello")));
        await PutAsync("down", new RouteSpec(new MatchSpec(["127.0.0.1"], "/down"), "nobody"));
    }

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Fact]
    public async Task Promtool_finds_nothing_to_say_about_the_figures()
    {
        var promtool = Tools.Require("promtool", "prometheus");
        await TrafficAsync();
        // Other modules' figures are there too, whatever their names look like.
        using var meter = new Meter("Groundwork.Toy");
        var counter = meter.CreateCounter<long>("toy.things", description: "Things.");
        counter.Add(3, new KeyValuePair<string, object?>("what", "a \"b\"\\\nc"));
        meter.CreateHistogram<double>("toy.time", "s", "Time.").Record(0.2);
        meter.CreateObservableGauge("toy.level_total", () => 7, description: "Level.");
        meter.CreateCounter<long>("toy.hidden", null, "Hidden.", [IMetricsSource.ShownByItself]).Add(1);

        var text = await ScrapeAsync();

        Assert.Contains(
            "groundwork_toy_things_total{what=\"a \\\"b\\\"\\\\\\nc\"} 3\n", text, StringComparison.Ordinal);
        Assert.Contains("groundwork_toy_time_seconds_count 1\n", text, StringComparison.Ordinal);
        Assert.Contains("groundwork_toy_level 7\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("toy_hidden", text, StringComparison.Ordinal);
        Assert.Contains("groundwork_gateway_requests_total{route=\"default/a\"", text, StringComparison.Ordinal);
        Assert.Equal("", await CheckAsync(promtool, text));
        // Which it would have said.
        Assert.NotEqual("", await CheckAsync(promtool, text.Replace(
            "groundwork_gateway_requests_total", "groundwork_gateway_requests", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_real_Prometheus_scrapes_them_with_a_key()
    {
        var program = Tools.Require("prometheus", "prometheus");
        using var directory = new TemporaryDirectory();
        var key = directory.Write("key", await node.MintAsync("prometheus", [], [ReadsMetrics]));
        var address = node.Node.Listeners.AddressesOf(ListenerDefinition.Api)[0];
        var configuration = directory.Write("prometheus.yml", $$"""
            global: { scrape_interval: 200ms, scrape_timeout: 200ms }
            scrape_configs:
              - job_name: groundwork
                authorization: { credentials_file: {{key}} }
                static_configs: [{ targets: ["{{address}}"] }]
              - job_name: stranger
                static_configs: [{ targets: ["{{address}}"] }]
            """);
        await TrafficAsync();
        var port = FreePort.Next();
        using var prometheus = Process.Start(new ProcessStartInfo(program,
        [
            $"--config.file={configuration}", $"--storage.tsdb.path={directory.Combine("tsdb")}",
            $"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
        try
        {
            using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            var samples = await Eventually.ValueAsync(
                () => QueryAsync(client, "groundwork_gateway_requests_total{job=\"groundwork\",route=\"default/a\"}"),
                values => values.Count > 0, "Prometheus has the figures");
            Assert.Equal(["2"], samples);
            Assert.Equal(["1"], await QueryAsync(client, "up{job=\"groundwork\"}"));
            Assert.Equal(["2"], await QueryAsync(
                client, "sum(groundwork_gateway_request_duration_seconds_bucket{route=\"default/a\",le=\"+Inf\"})"));
            // Being on this machine is no credential.
            await Eventually.TrueAsync(
                async () => await QueryAsync(client, "up{job=\"stranger\"}") is ["0"], "a stranger is refused");
        }
        finally
        {
            prometheus.Kill();
            await prometheus.WaitForExitAsync();
        }
    }

    [Theory]
    [InlineData("/metrics")]
    [InlineData("/groundwork/v1/gateway/traffic")]
    public async Task Figures_take_a_credential_that_may_read_them(string path)
    {
        using var none = await node.Client().GetAsync(path);
        Assert.Equal(HttpStatusCode.Unauthorized, none.StatusCode);
        using var other = await node.Client(await node.MintAsync("other", [], [new Grant(["read"], ["route"])]))
            .GetAsync(path);
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        using var right = await node.Client(await node.MintAsync("right", [], [ReadsMetrics])).GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task Requests_are_listed_and_explained_to_who_may_read_their_routes()
    {
        await TrafficAsync();
        using var answer = await outside.GetAsync("/a");
        var id = answer.Headers.GetValues("Groundwork-Request-Id").Single();
        using var lost = await outside.GetAsync("/nowhere");
        var lostId = lost.Headers.GetValues("Groundwork-Request-Id").Single();
        var some = node.Client(await node.MintAsync("some", [], [new Grant(["read"], ["route"], Names: ["a"])]));
        await Eventually.TrueAsync(
            async () => (await ListAsync(node.Local, "")).Requests.Any(one => one.Id == lostId), "all are over");

        var all = await ListAsync(node.Local, "");
        Assert.Equal(
            ["/nowhere", "/a", "/down", "/a", "/a"], all.Requests.Select(one => one.Path));
        Assert.Equal(["/down"], (await ListAsync(node.Local, "?status=5")).Requests.Select(one => one.Path));
        Assert.Equal(
            ["/nowhere", "/down"], (await ListAsync(node.Local, "?failed=true")).Requests.Select(one => one.Path));
        Assert.Equal(3, (await ListAsync(node.Local, "?route=default/a")).Requests.Count);
        Assert.Empty((await ListAsync(node.Local, "?slow=true")).Requests);
        Assert.Single((await ListAsync(node.Local, "?limit=1")).Requests);
        Assert.Equal(["/a", "/a", "/a"], (await ListAsync(some, "")).Requests.Select(one => one.Path));

        var told = await node.Local.GetFromJsonAsync(
            $"/groundwork/v1/gateway/requests/{id}", WireJson.Lenient.GatewayRequestExplanation);
        Assert.Equal(("test", "default/a", "a"), (
            told!.Node, told.Request.Route, Assert.Single(told.Routes, one => one.Verdict == "taken").Name));
        // By its trace as well.
        var byTrace = await node.Local.GetFromJsonAsync(
            $"/groundwork/v1/gateway/requests/{told.Request.TraceId}", WireJson.Lenient.GatewayRequestExplanation);
        Assert.Equal(id, byTrace!.Request.Id);
        using var hidden = await some.GetAsync($"/groundwork/v1/gateway/requests/{lostId}");
        Assert.Equal(HttpStatusCode.NotFound, hidden.StatusCode);
        using var shown = await some.GetAsync($"/groundwork/v1/gateway/requests/{id}");
        Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
        using var unknown = await node.Local.GetAsync("/groundwork/v1/gateway/requests/0000000000000000");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Traffic_of_late_is_told_by_route_and_upstream()
    {
        var traffic = await Eventually.ValueAsync(
            async () =>
            {
                await TrafficAsync();
                return (await node.Local.GetFromJsonAsync(
                    "/groundwork/v1/gateway/traffic", WireJson.Lenient.GatewayTraffic))!;
            },
            told => told.Routes.Count == 2,
            "both routes have traffic");

        var route = traffic.Routes.Single(row => row.Name == "default/a");
        Assert.True(route is { PerSecond: > 0, ErrorsPerSecond: 0, P50Ms: > 0, BytesOutPerSecond: > 0 }, $"{route}");
        var down = traffic.Routes.Single(row => row.Name == "default/down");
        Assert.Equal(down.PerSecond, down.ErrorsPerSecond);
        Assert.Equal(traffic.Routes.Sum(row => row.PerSecond), traffic.Total.PerSecond, 6);
    }

    private async Task TrafficAsync()
    {
        await outside.GetStringAsync("/a");
        await outside.GetStringAsync("/a");
        using var down = await outside.GetAsync("/down");
    }

    private async Task<string> ScrapeAsync()
    {
        using var client = node.Client(await node.MintAsync("scraper", [], [ReadsMetrics]));
        using var answer = await client.GetAsync("/metrics");
        Assert.Equal(MetricsText.MediaType, answer.Content.Headers.ContentType?.ToString());
        return await answer.Content.ReadAsStringAsync();
    }

    /// <summary>What promtool says of figures; empty when nothing.</summary>
    internal static async Task<string> CheckAsync(string promtool, string text)
    {
        using var process = Process.Start(new ProcessStartInfo(promtool, ["check", "metrics"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await process.StandardInput.WriteAsync(text);
        process.StandardInput.Close();
        var said = await process.StandardError.ReadToEndAsync() + await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? said.Trim() : $"exit {process.ExitCode}: {said}";
    }

    private static async Task<IReadOnlyList<string>> QueryAsync(HttpClient client, string query)
    {
        try
        {
            using var answer = await client.GetAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}");
            if (!answer.IsSuccessStatusCode) return [];
            using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            return
            [
                .. document.RootElement.GetProperty("data").GetProperty("result").EnumerateArray()
                    .Select(sample => sample.GetProperty("value")[1].GetString()!),
            ];
        }
        catch (HttpRequestException)
        {
            return []; // It has not opened its port yet.
        }
    }

    private static async Task<GatewayRequestList> ListAsync(HttpClient client, string query) =>
        (await client.GetFromJsonAsync(
            $"/groundwork/v1/gateway/requests{query}", WireJson.Lenient.GatewayRequestList))!;

    private async Task PutAsync(string name, RouteSpec spec)
    {
        var commit = await node.Node.Changes!.CommitAsync(
            new Changeset(Principal.System("test"), [Change.Put(RouteKind.Kind, "default", name, spec)]),
            CancellationToken.None);
        Assert.True(commit.TryGet(out _, out var fault), fault?.ToString());
    }
}

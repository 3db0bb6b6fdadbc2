using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.Protocols.Matrix;

/// <summary>
/// What the platform says that each protocol shows of a service, against what the clients of each are told themselves.
/// </summary>
public sealed class SightTests(NpmClients clients)
{
    private const string Registry = "/groundwork/v1/registry";

    [Fact]
    public async Task Each_protocol_is_said_to_show_what_its_client_is_told_and_who_registered_and_follows_is_known()
    {
        await using var node = await MatrixNode.StartAsync();
        await using var script = await ScriptAsync(node);
        const string service = "seen";
        await node.RouteAsync(service);
        foreach (var (protocol, port) in new[] { ("nacos", 3001), ("eureka", 3002), ("consul", 3003) })
            await DoAsync(script, "register", protocol, service, port);
        await PutAsync(node, new InstanceDocument(service, "127.0.0.1", 3004) { Id = "ours", LeaseSeconds = 600 });
        await PutAsync(node, new InstanceDocument(service, "127.0.0.1", 3005)
        {
            Id = "out", LeaseSeconds = 600, Status = "out-of-service",
        });
        await node.BySdkAsync(service);
        foreach (var protocol in new[] { "nacos", "consul", "etcd" })
            await DoAsync(script, "follow", protocol, service, 0);
        await DoAsync(script, "find", "xds", service, 0);

        foreach (var protocol in new[] { "nacos", "eureka", "consul", "xds", "etcd" })
            await Eventually.PassesAsync(async () =>
            {
                var told = (await DoAsync(script, "see", protocol, service, 0)).GetProperty("found").EnumerateArray()
                    .Select(one => one.GetString() ?? "").Order(StringComparer.Ordinal).ToArray();
                var said = await LookAsync(node, service, protocol);
                Assert.Equal(told, said.Instances.Select(one => $"{one.Name} {one.State}").Order(
                    StringComparer.Ordinal));
                Assert.NotEmpty(told);
                Assert.Equal(told.Length, said.Shown);
            });
        var found = await node.ByDnsAsync(service);
        Assert.Equal(
            found.Order(StringComparer.Ordinal),
            (await LookAsync(node, service, "dns")).Instances.Select(one => $"127.0.0.1:{one.Name.Split(' ')[1]}")
                .Order(StringComparer.Ordinal));
        Assert.Equal(4, found.Length);
        Assert.Equal(5, (await LookAsync(node, service, "consul")).Shown);
        Assert.Equal(4, (await LookAsync(node, service, "gateway")).Callable);

        await Eventually.PassesAsync(async () =>
        {
            var all = await LookAllAsync(node, service);
            Assert.Equal(
                ["127.0.0.1:3001 nacos Nacos-Java-Client:v1.0.0", "127.0.0.1:3002 eureka ", "ours groundwork ",
                    "out groundwork ", "seen-3003 consul papi"],
                all.Instances.Select(one => $"{one.Id} {one.Protocol} {one.Client.Split('/')[0]}"));
            Assert.Equal(
                ["127.0.0.1", "127.0.0.1", "127.0.0.1"],
                all.Instances.Where(one => one.Protocol != "groundwork").Select(one => one.Address));
            Assert.All(all.Instances.Where(one => one.Protocol == "groundwork"), one => Assert.StartsWith(
                "uid ", one.Address, StringComparison.Ordinal));
            foreach (var (protocol, how) in new[]
            {
                ("groundwork", "watch"), ("nacos", "datagram"), ("eureka", "fetch"), ("consul", "blocking-query"),
                ("xds", "stream"), ("etcd", "watch"),
            })
                Assert.Contains(all.Subscribers, one => (one.Protocol, one.How) == (protocol, how));
            Assert.Contains(all.Subscribers, one => one.Name.StartsWith("default/seeker/", StringComparison.Ordinal));
            Assert.Contains(all.Subscribers, one => one.Protocol == "xds"
                && one.Client.StartsWith("grpc-node-js/", StringComparison.Ordinal) && one.Name == "matrix");
        });
        Assert.Null((await LookAsync(node, service, "dns")).Subscribing);

        // Whoever may discover a service need not know of routes.
        Assert.Equal(
            [$"default/{service}"], (await LookAsync(node, service, "gateway")).Names.Select(name => name.Value));
        using var anybody = new HttpClient { BaseAddress = node.Api };
        var shown = await anybody.GetFromJsonAsync(
            $"{Registry}/services/default/{service}/protocols", WireJson.Lenient.ServiceProtocols);
        Assert.Empty(shown?.Protocols.Single(one => one.Protocol == "gateway").Names ?? []);
        Assert.Equal(5, shown?.Instances.Count);
    }

    [Fact]
    public async Task What_a_protocol_is_said_to_lack_is_what_its_answer_does_not_have()
    {
        await using var node = await MatrixNode.StartAsync();
        using var extension = JsonDocument.Parse("""{"kept":"extension-m"}""");
        await PutAsync(node, new InstanceDocument("full", "127.0.0.1", 4001)
        {
            Id = "full", Scheme = "https", Weight = 7300, Version = "version-m", Zone = "zone-m", Cluster = "cluster-m",
            LeaseSeconds = 61, Tags = ["tag-m"], Ports = new Dictionary<string, int> { ["port-m"] = 4002 },
            Metadata = new Dictionary<string, string> { ["meta-m"] = "value-m" },
            Checks = [new InstanceCheck("check-m", "passing", DateTimeOffset.UnixEpoch, "instance")],
            Extensions = new Dictionary<string, JsonElement> { ["other"] = extension.RootElement.Clone() },
        });
        (string Field, string Trace)[] fields =
        [
            ("scheme", "https"), ("ports", "port-m"), ("weight", @"\b73(00)?\b"), ("version", "version-m"),
            ("zone", "zone-m"), ("cluster", "cluster-m"), ("leaseSeconds", @"\b61(000)?\b"), ("tags", "tag-m"),
            ("checks", "check-m"), ("metadata", "value-m"), ("extensions", "extension-m"),
        ];
        var answers = new Dictionary<string, string>
        {
            ["groundwork"] = await GetAsync(node, $"{Registry}/services/default/full"),
            ["nacos"] = await GetAsync(node, "/nacos/v1/ns/instance/list?serviceName=full"),
            ["eureka"] = await GetAsync(node, "/eureka/apps/FULL"),
            ["consul"] = await GetAsync(node, "/v1/health/service/full"),
            ["dns"] = await node.DigAsync("+short", "SRV", "full.service.groundwork")
                + await node.DigAsync("+short", "TXT", "full.service.groundwork"),
        };
        foreach (var (protocol, answer) in answers)
        {
            Assert.Contains("4001", answer, StringComparison.Ordinal);
            Assert.Equal(
                fields.Where(field => !Regex.IsMatch(answer, field.Trace, RegexOptions.None, TimeSpan.FromSeconds(1)))
                    .Select(field => field.Field),
                (await LookAsync(node, "full", protocol)).Lacks);
        }
        Assert.DoesNotContain("weight", (await LookAsync(node, "full", "xds")).Lacks);
        Assert.Contains("metadata", (await LookAsync(node, "full", "xds")).Lacks);
        Assert.DoesNotContain("metadata", (await LookAsync(node, "full", "etcd")).Lacks);
        Assert.Contains("weight", (await LookAsync(node, "full", "etcd")).Lacks);
    }

    [Fact]
    public async Task What_a_protocol_cannot_find_is_said_with_the_reason()
    {
        await using var node = await MatrixNode.StartAsync();
        await using var script = await ScriptAsync(node);
        foreach (var service in new[] { "Twice", "twice" })
            await PutAsync(node, new InstanceDocument(service, "127.0.0.1", 5001));
        Assert.Contains("one spelling", (await LookAsync(node, "twice", "eureka")).Refusal, StringComparison.Ordinal);
        Assert.Empty((await DoAsync(script, "see", "eureka", "twice", 0)).GetProperty("found").EnumerateArray());
        Assert.Contains("in case alone", (await LookAsync(node, "twice", "dns")).Refusal, StringComparison.Ordinal);
        Assert.Contains(
            "status: REFUSED", await node.DigAsync("SRV", "twice.service.groundwork"), StringComparison.Ordinal);
        Assert.Null((await LookAsync(node, "twice", "nacos")).Refusal);
        Assert.Null((await LookAsync(node, "twice", "consul")).Refusal);
        Assert.Contains("no route", (await LookAsync(node, "twice", "gateway")).Refusal, StringComparison.Ordinal);

        var label = new string('a', 64);
        await PutAsync(node, new InstanceDocument(label, "127.0.0.1", 5002));
        Assert.Contains("63 bytes", (await LookAsync(node, label, "dns")).Refusal, StringComparison.Ordinal);
        await PutAsync(node, new InstanceDocument("spaced", "127.0.0.1", 5003) { Namespace = "shop" });
        Assert.Contains(
            "no namespaces", (await LookAsync(node, "spaced", "eureka", "shop")).Refusal, StringComparison.Ordinal);
        Assert.Equal(
            ["spaced", "shop", "dc1"],
            (await LookAsync(node, "spaced", "consul", "shop")).Names.Select(name => name.Value));
        Assert.Contains("shop.groundwork", (await LookAsync(node, "spaced", "dns", "shop")).Names[0].Value,
            StringComparison.Ordinal);
    }

    private async Task<NpmClient> ScriptAsync(MatrixNode node)
    {
        var script = clients.Run(
            "matrix.mjs", node.Api.Host, node.Api.Port.ToString(CultureInfo.InvariantCulture), node.Discovery,
            node.Key);
        await script.NextAsync("ready");
        return script;
    }

    private static async Task<JsonElement> DoAsync(
        NpmClient script, string what, string protocol, string service, int port)
    {
        await script.TellAsync(JsonSerializer.Serialize(new { @do = what, protocol, service, port }));
        return await script.NextAsync("done");
    }

    private static async Task<ServiceProtocols> LookAllAsync(MatrixNode node, string service, string? ns = null) =>
        await node.Local.GetFromJsonAsync(
            $"{Registry}/services/{ns ?? "default"}/{service}/protocols", WireJson.Lenient.ServiceProtocols)
        ?? throw new InvalidOperationException("null");

    private static async Task<ProtocolView> LookAsync(
        MatrixNode node, string service, string protocol, string? ns = null) =>
        (await LookAllAsync(node, service, ns)).Protocols.Single(one => one.Protocol == protocol);

    private static async Task PutAsync(MatrixNode node, InstanceDocument instance)
    {
        using var answer = await node.Local.PutAsJsonAsync(
            $"{Registry}/instances", instance, WireJson.Lenient.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<string> GetAsync(MatrixNode node, string path)
    {
        using var client = new HttpClient { BaseAddress = node.Api };
        client.DefaultRequestHeaders.Authorization = new("Bearer", node.Key);
        client.DefaultRequestHeaders.Accept.ParseAdd("application/json");
        return await client.GetStringAsync(new Uri(path, UriKind.Relative));
    }
}

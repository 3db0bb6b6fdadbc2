using System.Net;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry.Protocols;

/// <summary>What Consul's API takes and answers, beside what its clients do in the tests of protocols.</summary>
public sealed class ConsulTests
{
    [Fact]
    public async Task Service_is_answered_as_it_came()
    {
        await using var node = await ConsulNode.StartAsync();
        await node.PutAsync("/agent/service/register",
            """
            {"name": "web", "id": "web/1 (a)", "ADDRESS": "10.0.0.1", "Port": 8080, "Tags": ["a", "a", "b"],
             "Meta": {"env": "prod"},
             "Weights": {"Passing": 3, "Warning": 2}, "EnableTagOverride": true, "Unknown": 1,
             "TaggedAddresses": {"lan": {"address": "10.1.0.1", "port": 9090}}, "Kind": "connect-proxy",
             "Proxy": {"DestinationServiceName": "db"}}
            """);
        var service = (await node.GetAsync("/health/service/web"))?[0]?["Service"];
        Assert.Equal(("web/1 (a)", "10.0.0.1", 8080, true, "connect-proxy"), (
            (string?)service?["ID"], (string?)service?["Address"], (int?)service?["Port"],
            (bool?)service?["EnableTagOverride"], (string?)service?["Kind"]));
        Assert.Equal("[\"a\",\"b\"]", service?["Tags"]?.ToJsonString());
        Assert.Equal("{\"Passing\":3,\"Warning\":2}", service?["Weights"]?.ToJsonString());
        Assert.Equal("{\"lan\":{\"address\":\"10.1.0.1\",\"port\":9090}}", service?["TaggedAddresses"]?.ToJsonString());
        Assert.Equal("{\"DestinationServiceName\":\"db\"}", service?["Proxy"]?.ToJsonString());
        Assert.Equal(300, (await node.OursAsync("web")).Weight);
        var flat = (await node.GetAsync("/catalog/service/web"))?[0];
        Assert.Equal(("groundwork", "web", "prod", 8080), (
            (string?)flat?["Node"], (string?)flat?["ServiceName"], (string?)flat?["ServiceMeta"]?["env"],
            (int?)flat?["ServicePort"]));
        Assert.NotNull((await node.GetAsync($"/agent/service/{Uri.EscapeDataString("web/1 (a)")}"))?["ID"]);
        await node.PutAsync($"/agent/service/deregister/{Uri.EscapeDataString("web/1 (a)")}");
        Assert.Equal("[]", (await node.GetAsync("/catalog/service/web"))?.ToJsonString());
    }

    [Fact]
    public async Task Service_without_a_port_or_an_address_is_shown_and_called_by_nobody()
    {
        await using var node = await ConsulNode.StartAsync();
        await node.PutAsync("/agent/service/register", """{"Name": "batch"}""");
        var entry = Assert.Single((await node.GetAsync("/health/service/batch?passing"))!.AsArray()); // A list.
        Assert.Equal(("batch", 0, "127.0.0.1"), (
            (string?)entry?["Service"]?["ID"], (int?)entry?["Service"]?["Port"],
                (string?)entry?["Service"]?["Address"]));
        Assert.Equal(0, (await node.OursAsync("batch")).Weight);
    }

    [Fact]
    public async Task Lists_are_narrowed_by_tag_state_machine_and_filter()
    {
        await using var node = await ConsulNode.StartAsync();
        await node.PutAsync("/agent/service/register",
            """
            {"Name": "web", "ID": "a", "Port": 1, "Address": "10.0.0.1", "Tags": ["Blue", "v1"],
             "Check": {"TTL": "9s", "Status": "passing"}}
            """);
        await node.PutAsync("/agent/service/register",
            """{"Name": "web", "ID": "b", "Port": 2, "Address": "10.0.0.2", "Tags": ["v1"], "Check": {"TTL": "9s"}}""");
        await node.PutAsync("/catalog/register",
            """
            {"Node": "far", "Address": "10.9.0.1", "NodeMeta": {"rack": "7"},
             "Service": {"ID": "c", "Service": "web", "Port": 3},
             "Check": {"CheckID": "ping", "Name": "Ping", "Status": "warning", "Output": "slow", "ServiceID": "c"}}
            """);
        async Task<string> Ids(string query) =>
            string.Join(',', (await node.GetAsync($"/health/service/web{query}"))!.AsArray()
            .Select(entry => (string?)entry?["Service"]?["ID"]).Order()); // A list.
        Assert.Equal("a,b,c", await Ids(""));
        Assert.Equal("a", await Ids("?passing=1"));
        Assert.Equal("a,b,c", await Ids("?passing=false"));
        Assert.Equal("a", await Ids("?tag=blue"));
        Assert.Equal("a", await Ids("?tag=v1&tag=Blue"));
        Assert.Equal("", await Ids("?tag=none"));
        Assert.Equal("c", await Ids("?node-meta=rack:7"));
        Assert.Equal("b,c", await Ids($"?filter={Uri.EscapeDataString("Service.Port != 1")}"));
        Assert.Equal("a,b", await Ids($"?filter={Uri.EscapeDataString("\"v1\" in Service.Tags")}"));
        foreach (var filter in new[] { "Service.Nothing == 1", "(((", "Service.Port" })
            Assert.Equal(HttpStatusCode.BadRequest, (await ConsulNode.SendAsync(
                node.Client, "GET", $"/health/service/web?filter={Uri.EscapeDataString(filter)}")).Status);
        Assert.Equal("10.9.0.1", (string?)(
            await node.GetAsync("/catalog/service/web?node-meta=rack:7"))?[0]?["Address"]);
        Assert.Equal(["groundwork", "far"],
            (await node.GetAsync("/catalog/nodes"))!.AsArray().Select(one => (string?)one?["Node"]));
        Assert.Equal("slow", (string?)(await node.GetAsync("/health/node/far"))?[0]?["Output"]);
        Assert.Null(await node.GetAsync("/catalog/node/nowhere"));
        Assert.Equal(["warning"], (await node.GetAsync("/health/state/warning"))!.AsArray()
            .Select(one => (string?)one?["Status"]));
        Assert.Equal("{\"web\":[\"Blue\",\"v1\"]}", (await node.GetAsync("/catalog/services"))?.ToJsonString());
        await node.PutAsync("/catalog/register",
            """
            {"Node": "far", "Address": "10.9.0.1",
             "Check": {"CheckID": "ping", "Status": "passing", "ServiceID": "c"}}
            """);
        Assert.Equal("a,c", await Ids("?passing"));
        await node.PutAsync("/catalog/deregister", """{"Node": "far"}""");
        Assert.Equal("a,b", await Ids(""));
    }

    [Fact]
    public async Task Instances_of_other_protocols_have_the_registrys_word_as_their_check()
    {
        await using var node = await ConsulNode.StartAsync();
        var bad = new InstanceCheck("disk", "critical", DateTimeOffset.UnixEpoch, "instance", "full");
        await node.RegisterOursAsync(new InstanceDocument("stock", "10.0.0.1", 80) { Id = "x", Checks = [bad] });
        // All that there is, so that protection keeps it called.
        Assert.Single((await node.GetAsync("/health/service/stock?passing"))!.AsArray()); // A list.
        foreach (var id in new[] { "y", "z" })
            await node.RegisterOursAsync(new InstanceDocument("stock", "10.0.0.1", 80) { Id = id });
        Assert.Equal(
            ["y", "z"],
            (await node.GetAsync("/health/service/stock?passing"))!.AsArray()
                .Select(one => (string?)one?["Service"]?["ID"]));
        var checks = (await node.GetAsync("/health/checks/stock"))!.AsArray() // A list.
            .Select(check => $"{check?["CheckID"]} {check?["Status"]}").Order(StringComparer.Ordinal);
        Assert.Equal(["disk critical", "groundwork:y passing", "groundwork:z passing"], checks);
        using var drained = await node.Node.Local.PostAsync("/groundwork/v1/registry/instances/default/stock/y/drain",
            null);
        Assert.True(drained.IsSuccessStatusCode);
        Assert.Contains(
            "_service_maintenance:y", (await node.GetAsync("/health/state/critical"))?.ToJsonString(),
                StringComparison.Ordinal);
        // What leaves an extension of this name over our own API is no service of Consul's, and breaks nothing.
        foreach (var sly in new[] { "3", "{}", "{\"id\": 4}", "{\"id\": \"i\", \"checks\": [null]}",
            "{\"id\":\"i\",\"checks\":null}" })
        {
            await node.RegisterOursAsync(new InstanceDocument("stock", "10.0.0.1", 80)
            {
                Id = "s",
                Extensions = new Dictionary<string, System.Text.Json.JsonElement>
                {
                    ["consul"] = System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(sly),
                    ["eureka"] = System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(sly),
                },
            });
            Assert.Equal(4, (await node.GetAsync("/health/service/stock"))!.AsArray().Count); // A list.
            using var eureka = await node.Client.GetAsync("/eureka/apps");
            Assert.NotEqual(HttpStatusCode.InternalServerError, eureka.StatusCode);
        }
    }

    [Fact]
    public async Task Maintenance_lasts_through_registrations_and_restarts()
    {
        await using var node = await ConsulNode.StartAsync();
        const string Body = """{"Name": "web", "ID": "a", "Port": 80}""";
        await node.PutAsync("/agent/service/register", Body);
        await node.PutAsync("/agent/service/maintenance/a?enable=true&reason=a%20new%20disk");
        Assert.Equal("out-of-service", (await node.OursAsync("web")).Status);
        await node.PutAsync("/agent/service/register", Body);
        await node.RestartAsync();
        Assert.Empty((await node.GetAsync("/health/service/web?passing"))!.AsArray()); // A list.
        var check = (await node.GetAsync("/agent/checks"))?["_service_maintenance:a"];
        Assert.Equal(("critical", "a new disk"), ((string?)check?["Status"], (string?)check?["Notes"]));
        await node.PutAsync("/agent/service/maintenance/a?enable=false");
        Assert.Single((await node.GetAsync("/health/service/web?passing"))!.AsArray()); // A list.
        Assert.Equal(HttpStatusCode.BadRequest, (await ConsulNode.SendAsync(
            node.Client, "PUT", "/agent/service/maintenance/a")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await ConsulNode.SendAsync(
            node.Client, "PUT", "/agent/service/maintenance/none?enable=true")).Status);
    }

    [Fact]
    public async Task Checks_are_added_told_and_taken_away_and_an_id_is_one_services()
    {
        await using var node = await ConsulNode.StartAsync();
        await node.PutAsync("/agent/service/register", """{"Name": "web", "ID": "a", "Port": 80}""");
        await node.PutAsync(
            "/agent/check/register", """{"Name": "extra", "ServiceID": "a", "TTL": "30s", "Status": "passing"}""");
        await node.PutAsync("/agent/check/warn/extra?note=hm");
        Assert.Equal(("warning", "hm"), await CheckAsync(node, "extra"));
        await node.PutAsync("/agent/check/update/extra", """{"Status": "critical", "Output": "no"}""");
        Assert.Equal(("critical", "no"), await CheckAsync(node, "extra"));
        await node.PutAsync("/agent/service/register", """{"Name": "web", "ID": "a", "Port": 81}""");
        Assert.Equal(("critical", "no"), await CheckAsync(node, "extra"));
        await node.PutAsync("/agent/service/register", """{"Name": "db", "ID": "b", "Port": 80}""");
        Assert.Equal(HttpStatusCode.BadRequest, (await ConsulNode.SendAsync(
            node.Client, "PUT", "/agent/check/register",
            """{"Name": "extra", "ServiceID": "b", "TTL": "30s"}""")).Status);
        var browser = node.As(node.Key);
        browser.DefaultRequestHeaders.Add("Accept-Language", "en");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await ConsulNode.SendAsync(
            browser, "GET", "/agent/check/deregister/extra")).Status);
        var (status, _) = await ConsulNode.SendAsync(node.Client, "GET", "/agent/check/deregister/extra");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Empty((await node.OursAsync("web")).Checks ?? []);
        // Another name for the same id leaves the first.
        await node.PutAsync("/agent/service/register", """{"Name": "www", "ID": "a", "Port": 81}""");
        Assert.Equal("{\"db\":[],\"www\":[]}", (await node.GetAsync("/catalog/services"))?.ToJsonString());
    }

    [Theory]
    [InlineData("/agent/service/register", "", "Request decode failed")]
    [InlineData("/agent/service/register", "null", "Request decode failed")]
    [InlineData("/agent/service/register", "{\"Name\": 3}", "Request decode failed")]
    [InlineData("/agent/service/register", "\u00ff\u0000", "Request decode failed")]
    [InlineData("/agent/service/register", "{}", "Missing service name")]
    [InlineData("/agent/service/register", "{\"Name\": \"a b/c\"}", "no service")]
    [InlineData("/agent/service/register", "{\"Name\": \"a\", \"Port\": 70000}", "port")]
    [InlineData("/agent/service/register", "{\"Name\": \"a\", \"Address\": \"not a host\"}", "host")]
    [InlineData("/agent/service/register", "{\"Name\": \"a\", \"Namespace\": \"UP\"}", "namespace")]
    [InlineData("/agent/service/register", "{\"Name\": \"a\", \"Weights\": {\"Passing\": -1}}", "Weights")]
    [InlineData("/agent/service/register", "{\"Name\": \"a\", \"Check\": {\"Name\": \"x\"}}", "Invalid check")]
    [InlineData("/agent/service/register", "{\"Name\": \"a\", \"Check\": {\"TTL\": \"soon\"}}", "no span of time")]
    [InlineData("/agent/service/register",
        "{\"Name\": \"a\", \"Check\": {\"TTL\": \"1s\", \"TCP\": \"a:1\"}}", "one of")]
    [InlineData("/agent/service/register",
        "{\"Name\": \"a\", \"Check\": {\"TCP\": \"a\", \"Interval\": \"1s\"}}", "host:port")]
    [InlineData("/agent/service/register",
        "{\"Name\": \"a\", \"Check\": {\"HTTP\": \"ftp://a\", \"Interval\": \"1s\"}}", "URL")]
    [InlineData("/agent/service/register", "{\"Name\": \"a\", \"Check\": {\"HTTP\": \"http://a\"}}", "Interval")]
    [InlineData("/agent/service/register",
        "{\"Name\": \"a\", \"Check\": {\"HTTP\": \"http://a\", \"Interval\": \"1s\", \"Method\": \"DELETE\"}}",
            "GET or HEAD")]
    [InlineData("/agent/service/register",
        "{\"Name\": \"a\", \"Check\": {\"HTTP\": \"https://a\", \"Interval\": \"1s\", \"TLSSkipVerify\": true}}",
            "TLSSkipVerify")]
    [InlineData("/agent/service/register",
        "{\"Name\": \"a\", \"Check\": {\"HTTP\": \"http://a\", \"Interval\": \"1s\", \"Header\": {\"a b\": [\"c\"]}}}",
            "Header")]
    [InlineData("/agent/service/register",
        "{\"Name\": \"a\", \"Check\": {\"script\": \"rm\", \"Interval\": \"1s\"}}", "Script")]
    [InlineData("/agent/service/register",
        "{\"Name\": \"a\", \"Checks\": [{\"TTL\": \"1s\", \"Status\": \"bad\"}]}", "Status")]
    [InlineData("/agent/check/register", "{\"Name\": \"a\", \"TTL\": \"1s\"}", "ServiceID")]
    [InlineData("/agent/check/register", "{\"Name\": \"a\", \"TTL\": \"1s\", \"ServiceID\": \"no\"}", "does not exist")]
    [InlineData("/agent/check/update/x", "{\"Status\": \"bad\"}", "Invalid check status")]
    [InlineData("/catalog/register", "{\"Node\": \"a\", \"Address\": \"10.0.0.1\"}", "with its services")]
    [InlineData("/catalog/register",
        "{\"Node\": \"a\", \"Address\": \"b\", \"Datacenter\": \"dc2\"}", "No path to datacenter")]
    [InlineData("/catalog/deregister", "{\"Node\": \"groundwork\"}", "own node")]
    [InlineData("/agent/service/register?dc=dc2", "{\"Name\": \"a\"}", "No path to datacenter")]
    [InlineData("/agent/service/register?partition=x", "{\"Name\": \"a\"}", "partitions")]
    public async Task Body_that_is_wrong_is_told_in_words(string path, string body, string words)
    {
        await using var node = await ConsulNode.StartAsync();
        var (status, text) = await ConsulNode.SendAsync(node.Client, "PUT", path, body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(words, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Query_that_is_wrong_and_a_body_that_is_huge_are_refused()
    {
        await using var node = await ConsulNode.StartAsync();
        foreach (var query in new[] { "index=x", "index=-1", "wait=soon", "dc=dc2", "ns=UP", "partition=x" })
            Assert.Equal(HttpStatusCode.BadRequest, (await ConsulNode.SendAsync(
                node.Client, "GET", $"/health/service/web?{query}")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await ConsulNode.SendAsync(
            node.Client, "GET", "/health/state/unwell")).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await ConsulNode.SendAsync(
            node.Client, "PUT", "/agent/service/register", new string(' ', 300_000))).Status);
    }

    [Fact]
    public async Task Each_call_asks_for_the_registrys_own_verbs_and_refuses_with_403()
    {
        await using var node = await ConsulNode.StartAsync();
        await node.PutAsync(
            "/agent/service/register", """{"Name": "web", "ID": "a", "Port": 80, "Check": {"TTL": "30s"}}""");
        async Task<HttpClient> As(string name, Grant grant) => node.As(await node.Node.MintAsync(name, [], [grant]));
        var elsewhere = await As("elsewhere", new Grant(["*"], ["instance"], ["shop"]));
        var reader = await As("reader", new Grant(["discover"], ["instance"], ["default"]));
        var renewer = await As("renewer", new Grant(["renew"], ["instance"], ["default"]));
        (string Method, string Path, string? Body, Verb Verb)[] calls =
        [
            ("PUT", "/agent/service/register", """{"Name": "web", "ID": "a", "Port": 80}""", Verb.Register),
            ("PUT", "/agent/service/maintenance/a?enable=true", null, Verb.Register),
            ("PUT", "/agent/check/register", """{"Name": "x", "ServiceID": "a", "TTL": "9s"}""", Verb.Register),
            ("PUT", "/agent/check/deregister/service:a", null, Verb.Register),
            ("PUT", "/catalog/register", """{"Node": "n", "Address": "10.0.0.1", "Service": {"Service": "web"}}""",
                Verb.Register),
            ("PUT", "/agent/check/pass/service:a", null, Verb.Renew),
            ("PUT", "/agent/check/update/service:a", """{"Status": "passing"}""", Verb.Renew),
            ("GET", "/health/service/web", null, Verb.Discover), ("GET", "/health/checks/web", null, Verb.Discover),
            ("GET", "/catalog/service/web", null, Verb.Discover),
            ("PUT", "/agent/service/deregister/a", null, Verb.Register),
        ];
        foreach (var (method, path, body, verb) in calls)
        {
            foreach (var client in new[] { node.As(null), node.As(AccessKeys.Mint().Secret), elsewhere }
                .Append(verb == Verb.Discover ? elsewhere : reader).Append(verb == Verb.Renew ? elsewhere : renewer))
                Assert.Equal(HttpStatusCode.Forbidden, (await ConsulNode.SendAsync(client, method, path, body)).Status);
        }
        foreach (var path in new[] { "/catalog/services", "/agent/services", "/agent/checks", "/health/state/any",
            "/health/node/groundwork", "/catalog/node/groundwork" })
        {
            Assert.Contains("web", (await node.GetAsync(path, reader))?.ToJsonString(), StringComparison.Ordinal);
            Assert.DoesNotContain("web", (await node.GetAsync(path, elsewhere))?.ToJsonString(),
                StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.Forbidden, (await ConsulNode.SendAsync(node.As(null), "GET", path)).Status);
        }
        Assert.Equal(HttpStatusCode.OK,
            (await ConsulNode.SendAsync(renewer, "PUT", "/agent/check/pass/service:a")).Status);
    }

    [Fact]
    public async Task Token_may_be_a_parameter_a_header_or_bearer_in_this_order()
    {
        await using var node = await ConsulNode.StartAsync();
        var wrong = AccessKeys.Mint().Secret;
        var bearer = node.Node.Client(node.Key);
        await node.GetAsync("/catalog/services", bearer);
        await node.GetAsync($"/catalog/services?token={node.Key}", node.As(wrong));
        var (status, text) = await ConsulNode.SendAsync(node.Client, "GET", $"/catalog/services?token={wrong}");
        Assert.Equal((HttpStatusCode.Forbidden, "ACL not found"), (status, text));
        bearer.DefaultRequestHeaders.Add("X-Consul-Token", wrong);
        Assert.Equal(HttpStatusCode.Forbidden, (await ConsulNode.SendAsync(bearer, "GET", "/catalog/services")).Status);
        await node.Node.StopAsync(); // So that all is logged.
        Assert.DoesNotContain(node.Key, node.Node.Log.ToString(), StringComparison.Ordinal);
    }

    private static async Task<(string?, string?)> CheckAsync(ConsulNode node, string id)
    {
        var check = (await node.GetAsync("/agent/checks"))?[id];
        return ((string?)check?["Status"], (string?)check?["Output"]);
    }
}

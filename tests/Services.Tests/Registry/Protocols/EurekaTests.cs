using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry.Protocols;

/// <summary>
/// What Eureka's clients in Java send and insist on, beside what npm's does in the tests of protocols.
/// </summary>
public sealed class EurekaTests
{
    [Theory]
    [InlineData("/eureka/apps")]
    [InlineData("/eureka/apps/")]
    [InlineData("/eureka/v2/apps")]
    [InlineData("/eureka/v2/apps/")]
    public async Task Both_paths_serve_one_truth_with_and_without_a_slash(string path)
    {
        await using var node = await EurekaNode.StartAsync();
        var empty = await node.GetAsync(path);
        Assert.Equal("", (string?)empty["applications"]?["apps__hashcode"]);
        Assert.Empty(empty["applications"]!["application"]!.AsArray()); // There, as the client insists.
        Assert.Equal(HttpStatusCode.NoContent, await node.RegisterAsync("orders", "a"));
        var list = await node.GetAsync(path);
        Assert.Equal(["ORDERS/a UP"], EurekaNode.Outline(list));
        Assert.Equal("UP_1_", (string?)list["applications"]?["apps__hashcode"]);
        Assert.Equal(["ORDERS/a UP ADDED"],
            EurekaNode.Outline(await node.GetAsync($"{path.TrimEnd('/')}/delta"), true));
    }

    [Fact]
    public async Task Answers_of_a_life_have_the_status_that_counts_and_no_body()
    {
        await using var node = await EurekaNode.StartAsync();
        Assert.Equal(HttpStatusCode.NotFound, await node.SendAsync("PUT", "/eureka/apps/ORDERS/a?status=UP"));
        using (var registered = await node.PostAsync(
            "orders", new JsonObject { ["instance"] = EurekaNode.Instance("orders", "a") }.ToJsonString()))
        {
            Assert.Equal(HttpStatusCode.NoContent, registered.StatusCode);
            Assert.Empty(await registered.Content.ReadAsByteArrayAsync());
        }
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("PUT", "/eureka/apps/Orders/a?status=UP"));
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("DELETE", "/eureka/v2/apps/ORDERS/a"));
        Assert.Equal(HttpStatusCode.NotFound, await node.SendAsync("DELETE", "/eureka/v2/apps/ORDERS/a"));
        Assert.Equal(HttpStatusCode.NotFound, await node.SendAsync("GET", "/eureka/apps/ORDERS/a"));
        Assert.Equal(HttpStatusCode.NotFound, await node.SendAsync("GET", "/eureka/apps/ORDERS"));
    }

    [Fact]
    public async Task Instance_is_answered_as_it_came()
    {
        await using var node = await EurekaNode.StartAsync();
        await node.RegisterAsync("orders", "host:orders:8080", one =>
        {
            one["sid"] = "na";
            one["statusPageUrl"] = "http://10.0.0.1:8080/info";
            one["somethingNew"] = new JsonObject { ["deep"] = new JsonArray(1, 2) };
        });
        var one = (await node.GetAsync("/eureka/apps/orders/host:orders:8080"))["instance"]!.AsObject(); // As written.
        var sent = EurekaNode.Instance("orders", "host:orders:8080");
        foreach (var field in new[] { "instanceId", "hostName", "app", "ipAddr", "status", "overriddenstatus", "port",
            "securePort", "countryId", "dataCenterInfo", "metadata", "homePageUrl", "vipAddress",
                "lastDirtyTimestamp" })
            Assert.Equal(sent[field]?.ToJsonString(), one[field]?.ToJsonString());
        Assert.Equal("{\"deep\":[1,2]}", one["somethingNew"]?.ToJsonString());
        Assert.Equal(("na", 90), ((string?)one["sid"], (int?)one["leaseInfo"]?["durationInSecs"]));
        Assert.Equal("ADDED", (string?)one["actionType"]);
    }

    [Fact]
    public async Task Xml_says_the_same_as_json_in_both_directions()
    {
        await using var node = await EurekaNode.StartAsync();
        const string Body =
            """
            <?xml version="1.0"?><instance><instanceId>x</instanceId><hostName>h</hostName><app>ORDERS</app>
            <ipAddr>10.0.0.9</ipAddr><status>UP</status><port enabled="true">8081</port>
            <securePort enabled="false">443</securePort><vipAddress>orders</vipAddress>
            <dataCenterInfo class="com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo">
            <name>MyOwn</name></dataCenterInfo>
            <leaseInfo><durationInSecs>60</durationInSecs></leaseInfo><metadata><a>1 &lt; 2</a></metadata></instance>
            """;
        using var registered = await node.PostAsync("orders", Body, "application/xml");
        Assert.Equal(HttpStatusCode.NoContent, registered.StatusCode);
        // As written.
        var json = (await node.GetAsync("/eureka/apps"))["applications"]!["application"]![0]!["instance"]![0]!;
        Assert.Equal((8081, "1 < 2", 60), (
            (int?)json["port"]?["$"], (string?)json["metadata"]?["a"], (int?)json["leaseInfo"]?["durationInSecs"]));
        using var answer = await node.Client.GetAsync("/eureka/apps/");
        Assert.Equal("application/xml", answer.Content.Headers.ContentType?.MediaType);
        var xml = XDocument.Parse(await answer.Content.ReadAsStringAsync()).Root!; // A document has one.
        Assert.Equal("UP_1_", xml.Element("apps__hashcode")?.Value);
        var instance = xml.Element("application")?.Element("instance");
        Assert.Equal(("x", "8081", "true", "1 < 2"), (
            instance?.Element("instanceId")?.Value, instance?.Element("port")?.Value,
            instance?.Element("port")?.Attribute("enabled")?.Value,
                instance?.Element("metadata")?.Element("a")?.Value));
        Assert.Equal(
            "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo",
            instance?.Element("dataCenterInfo")?.Attribute("class")?.Value);
    }

    [Theory]
    [InlineData("application/json", "{}", "not an instance")]
    [InlineData("application/json", "{\"instance\":3}", "not an instance")]
    [InlineData("application/json", "{\"instance\":{\"app\":\"A\",\"app\":\"B\"}}", "not JSON")]
    [InlineData("application/json", "\u00ff\u00fe{", "not JSON")]
    [InlineData("application/json", "", "not JSON")]
    [InlineData("application/json", "{\"instance\":{\"app\":\"ORDERS\"}}", "Missing instanceId")]
    [InlineData("application/xml", "<instance><instanceId>", "not XML")]
    [InlineData("application/xml", "<!DOCTYPE i [<!ENTITY a \"b\">]><instance>&a;</instance>", "not XML")]
    [InlineData("text/xml", "<instance/>", "not an instance")]
    public async Task Body_that_is_no_instance_is_told_in_words(string type, string body, string words)
    {
        await using var node = await EurekaNode.StartAsync();
        using var answer = await node.PostAsync("orders", body, type);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains(words, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Field_that_is_missing_or_wrong_is_400_and_a_huge_body_413()
    {
        await using var node = await EurekaNode.StartAsync();
        var wrong = new Action<JsonObject>[]
        {
            one => one["hostName"] = "", one => one.Remove("ipAddr"), one => one.Remove("dataCenterInfo"),
            one => one["dataCenterInfo"] = new JsonObject(), one => one["app"] = "STOCK",
            // As made.
            one => one["status"] = "SLEEPING", one => one["port"]!["$"] = 70_000, one => one["port"]!["$"] = 0,
            one => one["metadata"]!["\u0001"] = "x", one => one["metadata"]!["a"] = new string('x', 20_000), // As made.
            one => one["homePageUrl"] = new string('x', 20_000),
        };
        foreach (var change in wrong)
            Assert.Equal(HttpStatusCode.BadRequest, await node.RegisterAsync("orders", "a", change));
        using var huge = await node.PostAsync("orders", new string(' ', 300_000));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, huge.StatusCode);
        Assert.Equal("text/plain", huge.Content.Headers.ContentType?.MediaType);
        Assert.Empty(EurekaNode.Outline(await node.GetAsync("/eureka/apps")));
    }

    [Fact]
    public async Task Id_that_no_segment_can_be_is_found_again_by_its_own_words()
    {
        await using var node = await EurekaNode.StartAsync();
        Assert.Equal(HttpStatusCode.NoContent, await node.RegisterAsync("orders", "[::1] (host)/orders"));
        var path = $"/eureka/apps/ORDERS/{Uri.EscapeDataString("[::1] (host)/orders")}";
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("PUT", path));
        Assert.Equal(["ORDERS/[::1] (host)/orders UP"], EurekaNode.Outline(await node.GetAsync("/eureka/apps")));
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("DELETE", path));
        Assert.Empty(EurekaNode.Outline(await node.GetAsync("/eureka/apps")));
    }

    [Fact]
    public async Task Application_is_one_whatever_the_case_and_spelled_as_its_virtual_address()
    {
        await using var node = await EurekaNode.StartAsync();
        await node.RegisterAsync("orders", "a");
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("PUT", "/eureka/apps/oRdErS/a"));
        await node.RegisterOursAsync(new InstanceDocument("orders", "10.0.0.2", 80) { Id = "b" });
        Assert.Equal(["ORDERS/a UP", "ORDERS/b UP"], EurekaNode.Outline(await node.GetAsync("/eureka/vips/orders")));
    }

    [Fact]
    public async Task Name_that_differs_in_case_alone_is_refused_but_does_not_hide_the_clients_own()
    {
        await using var node = await EurekaNode.StartAsync();
        await node.RegisterOursAsync(new InstanceDocument("orders", "10.0.0.2", 80) { Id = "b" });
        await node.RegisterOursAsync(new InstanceDocument("Orders", "10.0.0.3", 80) { Id = "c" });
        Assert.Equal(HttpStatusCode.BadRequest, await node.RegisterAsync("orders", "a"));
        Assert.Empty(EurekaNode.Outline(await node.GetAsync("/eureka/apps")));
        Assert.Equal(HttpStatusCode.BadRequest, await node.SendAsync("GET", "/eureka/apps/ORDERS"));
        await node.RegisterAsync("stock", "a");
        await node.RegisterOursAsync(new InstanceDocument("Stock", "10.0.0.3", 80) { Id = "c" });
        Assert.Equal(["STOCK/a UP"], EurekaNode.Outline(await node.GetAsync("/eureka/apps")));
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("PUT", "/eureka/apps/STOCK/a"));
    }

    [Fact]
    public async Task Overridden_status_survives_renewals_registrations_and_restarts()
    {
        await using var node = await EurekaNode.StartAsync();
        await node.RegisterAsync("orders", "a");
        const string Path = "/eureka/apps/ORDERS/a";
        Assert.Equal(HttpStatusCode.BadRequest, await node.SendAsync("PUT", $"{Path}/status?value=AWAY"));
        Assert.Equal(HttpStatusCode.NotFound, await node.SendAsync("PUT", "/eureka/apps/ORDERS/b/status?value=DOWN"));
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("PUT", $"{Path}/status?value=OUT_OF_SERVICE"));
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("PUT", $"{Path}?status=UP"));
        Assert.Equal(HttpStatusCode.NoContent, await node.RegisterAsync("orders", "a", one => one["sid"] = "again"));
        await node.RestartAsync();
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("PUT", $"{Path}?status=UP"));
        var one = (await node.GetAsync(Path))["instance"];
        Assert.Equal(("OUT_OF_SERVICE", "OUT_OF_SERVICE", "again"), (
            (string?)one?["status"], (string?)one?["overriddenstatus"], (string?)one?["sid"]));
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("DELETE", $"{Path}/status?value=UP"));
        one = (await node.GetAsync(Path))["instance"];
        Assert.Equal(("UP", "UNKNOWN"), ((string?)one?["status"], (string?)one?["overriddenstatus"]));
        await node.SendAsync("PUT", $"{Path}/status?value=DOWN");
        await node.SendAsync("DELETE", Path);
        await node.RegisterAsync("orders", "a");
        Assert.Equal("UP", (string?)(await node.GetAsync(Path))["instance"]?["status"]); // Gone with the instance.
    }

    [Fact]
    public async Task Renewal_asks_for_a_registration_only_of_who_is_unknown_or_has_changed()
    {
        await using var node = await EurekaNode.StartAsync();
        await node.RegisterAsync("orders", "a");
        Assert.Equal(
            HttpStatusCode.OK, await node.SendAsync("PUT", "/eureka/apps/ORDERS/a?lastDirtyTimestamp=1700000000000"));
        Assert.Equal(
            HttpStatusCode.OK, await node.SendAsync("PUT", "/eureka/apps/ORDERS/a?lastDirtyTimestamp=1600000000000"));
        Assert.Equal(
            HttpStatusCode.NotFound, await node.SendAsync("PUT",
                "/eureka/apps/ORDERS/a?lastDirtyTimestamp=1700000000001"));
        // One that comes late takes nothing back.
        await node.RegisterAsync("orders", "a", one =>
        {
            one["lastDirtyTimestamp"] = "1600000000000";
            one["ipAddr"] = "10.9.9.9";
        });
        Assert.Equal("10.0.0.1", (string?)(await node.GetAsync("/eureka/apps/ORDERS/a"))["instance"]?["ipAddr"]);
        await node.RestartAsync();
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("PUT", "/eureka/apps/ORDERS/a"));
    }

    [Fact]
    public async Task Metadata_is_changed_within_its_limits()
    {
        await using var node = await EurekaNode.StartAsync();
        await node.RegisterAsync("orders", "a");
        Assert.Equal(HttpStatusCode.OK,
            await node.SendAsync("PUT", "/eureka/apps/ORDERS/a/metadata?colour=red&zone=x"));
        var one = (await node.GetAsync("/eureka/apps/ORDERS/a"))["instance"];
        Assert.Equal(("red", "9090"), (
            (string?)one?["metadata"]?["colour"], (string?)one?["metadata"]?["management.port"]));
        Assert.Equal(
            HttpStatusCode.BadRequest,
            await node.SendAsync("PUT", $"/eureka/apps/ORDERS/a/metadata?{new string('k', 200)}=1"));
        Assert.Equal(HttpStatusCode.NotFound, await node.SendAsync("PUT", "/eureka/apps/ORDERS/b/metadata?a=1"));
    }

    [Fact]
    public async Task Compact_answer_has_what_a_caller_needs_and_no_more()
    {
        await using var node = await EurekaNode.StartAsync();
        await node.RegisterAsync("orders", "a");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/eureka/apps/ORDERS/a");
        request.Headers.Add("Accept", "application/json");
        request.Headers.Add("X-Eureka-Accept", "compact");
        using var answer = await node.Client.SendAsync(request);
        var one = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["instance"]!.AsObject(); // As written.
        Assert.Equal(("a", "UP", 8080), ((string?)one["instanceId"], (string?)one["status"], (int?)one["port"]?["$"]));
        Assert.False(one.ContainsKey("metadata") || one.ContainsKey("leaseInfo") || one.ContainsKey("homePageUrl"));
    }

    [Fact]
    public async Task Protection_is_shown_as_self_preservation_and_keeps_instances_up()
    {
        await using var node = await EurekaNode.StartAsync();
        await node.RegisterAsync("orders", "a");
        var stats = (await node.GetAsync("/eureka/status"))["statusInfo"]?["applicationStats"];
        Assert.Equal("false", (string?)stats?["self-preservation"]);
        var bad = new InstanceCheck("disk", "critical", DateTimeOffset.UnixEpoch, "instance", "full");
        await node.RegisterOursAsync(new InstanceDocument("stock", "10.0.0.2", 80) { Id = "b", Checks = [bad] });
        stats = (await node.GetAsync("/eureka/v2/status"))["statusInfo"]?["applicationStats"];
        Assert.Equal(("true", "STOCK"), (
            (string?)stats?["self-preservation"], (string?)stats?["self-preserved-applications"]));
        Assert.Contains("0 of 1", (string?)stats?["self-preservation-reason"], StringComparison.Ordinal);
        using var list = await node.Client.GetAsync("/eureka/apps");
        Assert.Equal(["STOCK"], list.Headers.GetValues("Eureka-Self-Preservation"));
        Assert.Equal(["ORDERS/a UP", "STOCK/b UP"], EurekaNode.Outline(await node.GetAsync("/eureka/apps")));
        // Beside two that are well it is not protected, and not called.
        foreach (var id in new[] { "c", "d" })
            await node.RegisterOursAsync(new InstanceDocument("stock", "10.0.0.2", 80) { Id = id });
        Assert.Equal(
            ["ORDERS/a UP", "STOCK/b DOWN", "STOCK/c UP", "STOCK/d UP"],
            EurekaNode.Outline(await node.GetAsync("/eureka/apps")));
    }

    [Fact]
    public async Task Each_call_asks_for_the_registrys_own_verbs_and_refuses_without_a_body()
    {
        await using var node = await EurekaNode.StartAsync();
        await node.RegisterAsync("orders", "a");
        async Task<HttpClient> As(string name, params Grant[] grants) => node.Node.Client(await node.Node.MintAsync(
            name, [], grants.Length == 0 ? [new Grant(["audit"], ["none"])] : grants));
        var nobody = node.Node.Client();
        var wrong = node.Node.Client(AccessKeys.Mint().Secret);
        var elsewhere = await As("elsewhere", new Grant(["*"], ["instance"], ["shop"]));
        var reader = await As("reader", new Grant(["discover"], ["instance"], ["default"]));
        var renewer = await As("renewer", new Grant(["renew"], ["instance"], ["default"], ["default/orders/*"]));
        (string Method, string Path, Verb Verb)[] calls =
        [
            ("PUT", "/eureka/apps/ORDERS/a", Verb.Renew), ("PUT", "/eureka/apps/ORDERS/none", Verb.Renew),
            ("PUT", "/eureka/apps/ORDERS/a/status?value=DOWN", Verb.Register),
            ("DELETE", "/eureka/apps/ORDERS/a/status", Verb.Register),
            ("PUT", "/eureka/apps/ORDERS/a/metadata?x=1", Verb.Register),
            ("GET", "/eureka/apps/ORDERS", Verb.Discover), ("GET", "/eureka/apps/ORDERS/a", Verb.Discover),
            ("DELETE", "/eureka/apps/ORDERS/a", Verb.Register),
        ];
        foreach (var (method, path, verb) in calls)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await node.SendAsync(method, path, nobody));
            Assert.Equal(HttpStatusCode.Unauthorized, await node.SendAsync(method, path, wrong));
            Assert.Equal(HttpStatusCode.Forbidden, await node.SendAsync(method, path, elsewhere));
            if (verb != Verb.Discover)
                Assert.Equal(HttpStatusCode.Forbidden, await node.SendAsync(method, path, reader));
            if (verb != Verb.Renew)
                Assert.Equal(HttpStatusCode.Forbidden, await node.SendAsync(method, path, renewer));
        }
        Assert.Equal(HttpStatusCode.OK, await node.SendAsync("PUT", "/eureka/apps/ORDERS/a", renewer));
        // Java's clients write the name in upper case; whoever may have it in lower case is told that it is not there.
        Assert.Equal(HttpStatusCode.NotFound, await node.SendAsync("PUT", "/eureka/apps/ORDERS/none", renewer));
        foreach (var path in new[] { "/eureka/apps", "/eureka/apps/delta", "/eureka/vips/orders", "/eureka/status" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await node.SendAsync("GET", path, nobody));
            Assert.DoesNotContain("10.0.0.1", await elsewhere.GetStringAsync("/eureka/apps"), StringComparison.Ordinal);
        }
        Assert.Equal(["ORDERS/a UP"], EurekaNode.Outline(await node.GetAsync("/eureka/apps", reader)));
        Assert.Empty(EurekaNode.Outline(await node.GetAsync("/eureka/apps/delta", elsewhere)));
        Assert.Equal(HttpStatusCode.NotFound, await node.SendAsync("GET", "/eureka/instances/a", elsewhere));
    }

    [Fact]
    public async Task Password_of_basic_may_be_an_access_key_and_off_is_off()
    {
        await using var node = await EurekaNode.StartAsync();
        var key = node.Client.DefaultRequestHeaders.Authorization?.Parameter;
        using var basic = new HttpRequestMessage(HttpMethod.Get, "/eureka/apps");
        basic.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"any:{key}")));
        using var answer = await node.Node.Client().SendAsync(basic);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await using var off = await RunningNode.StartAsync(
            [new Services.Registry.RegistryModule()],
            configuration => configuration with
            {
                Listeners = configuration.Listeners.Add(
                    ProtocolListeners.Eureka.Name, new ListenerOptions { Off = true }),
            });
        using var nothing = await off.Local.GetAsync("/eureka/apps");
        Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
    }
}

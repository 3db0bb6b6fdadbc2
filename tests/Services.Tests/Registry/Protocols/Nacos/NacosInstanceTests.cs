using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Policies;
using Groundwork.Services.Registry.Protocols.Nacos;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry.Protocols.Nacos;

public sealed class NacosInstanceTests
{
    [Fact]
    public async Task A_registration_means_to_us_what_it_means_to_Nacos()
    {
        await using var open = await OpenNacos.StartAsync();
        var answer = await open.RegisterAsync(
            "serviceName=DEFAULT_GROUP%40%40orders&ip=10.0.0.7&port=8080&weight=0.5&clusterName=blue&ephemeral=true"
            + "&metadata=%7B%22preserved.heart.beat.timeout%22%3A%2240000%22%2C%22n%22%3A1%7D&namespaceId=public");
        Assert.Equal("ok", answer);
        var ours = Assert.Single((await open.ServiceAsync()).Instances);
        Assert.Equal(("10.0.0.7:8080:blue", "blue", 50, 40), (ours.Id, ours.Cluster, ours.Weight, ours.LeaseSeconds));
        Assert.Equal("1", ours.Metadata?["n"]);
        var host = Assert.Single(await open.HostsAsync("serviceName=orders&groupName=DEFAULT_GROUP"));
        Assert.Equal(0.5, host.GetProperty("weight").GetDouble());
        Assert.Equal("10.0.0.7#8080#blue#DEFAULT_GROUP@@orders", host.GetProperty("instanceId").GetString());
    }

    [Theory]
    [InlineData("v1/ns/instance", "serviceName=orders&port=1&namespaceId=public", "'ip'")]
    [InlineData("v1/ns/instance", "serviceName=orders&ip=10.0.0.7", "'port'")]
    [InlineData("v1/ns/instance", "serviceName=orders&ip=10.0.0.7&port=x", "'port'")]
    [InlineData("v1/ns/instance", "serviceName=orders&ip=10.0.0.7&port=70000", "port")]
    [InlineData("v1/ns/instance", "ip=10.0.0.7&port=1", "'serviceName'")]
    [InlineData("v1/ns/instance", "serviceName=a%20b&ip=10.0.0.7&port=1", "a b")]
    [InlineData("v1/ns/instance", "serviceName=a&namespaceId=Ä&ip=10.0.0.7&port=1", "namespace")]
    [InlineData("v1/ns/instance", "serviceName=a&ip=10.0.0.7&port=1&weight=-1", "'weight'")]
    [InlineData("v1/ns/instance", "serviceName=a&ip=10.0.0.7&port=1&weight=10001", "'weight'")]
    [InlineData("v1/ns/instance", "serviceName=a&ip=10.0.0.7&port=1&weight=NaN", "'weight'")]
    [InlineData("v1/ns/instance", "serviceName=a&ip=10.0.0.7&port=1&ephemeral=perhaps", "'ephemeral'")]
    [InlineData("v1/ns/instance", "serviceName=a&ip=10.0.0.7&port=1&metadata=%7B", "'metadata'")]
    [InlineData("v1/ns/instance", "serviceName=a&ip=10.0.0.7&port=1&metadata=x", "'metadata'")]
    [InlineData("v1/ns/instance", "serviceName=a&ip=%FF%FE&port=1", "host")]
    public async Task A_registration_with_a_fault_is_refused_as_Nacos_refuses_it(
        string path, string query, string named)
    {
        await using var open = await OpenNacos.StartAsync();
        var (status, body) = await open.SendAsync("POST", path, query);
        Assert.Equal(400, status);
        Assert.Contains(named, body, StringComparison.Ordinal);
        Assert.DoesNotContain("{", body, StringComparison.Ordinal);
        var (second, envelope) = await open.SendAsync("POST", "v2/ns/instance", query);
        Assert.Equal(400, second);
        using var json = JsonDocument.Parse(envelope);
        Assert.InRange(json.RootElement.GetProperty("code").GetInt32(), 10000, 29999);
        Assert.Empty((await open.ServiceAsync("a")).Instances);
    }

    [Fact]
    public async Task A_form_says_the_same_as_a_query_and_one_that_is_too_large_is_refused()
    {
        await using var open = await OpenNacos.StartAsync();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["serviceName"] = "orders", ["ip"] = "10.0.0.7", ["port"] = "8080", ["metadata"] = "zone=eu,color=grün",
        });
        await open.MustAsync("POST", "v1/ns/instance", "", form);
        Assert.Equal("grün", Assert.Single((await open.ServiceAsync()).Instances).Metadata?["color"]);
        using var large = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["metadata"] = new('x', NacosLimits.MaxBodyBytes),
        });
        var (status, _) = await open.SendAsync("POST", "v1/ns/instance", body: large);
        Assert.Equal(413, status);
        using var foreign = new ByteArrayContent([.. "ip="u8, 0xFF, .. "&port=1&serviceName=a"u8]);
        foreign.Headers.TryAddWithoutValidation("Content-Type", "application/x-www-form-urlencoded; charset=utf8");
        Assert.Equal(400, (await open.SendAsync("POST", "v1/ns/instance", body: foreign)).Status);
    }

    [Fact]
    public async Task Names_of_Dubbo_survive()
    {
        const string Name = "providers:com.acme.OrderService:1.0.0:blue";
        await using var open = await OpenNacos.StartAsync();
        await open.RegisterAsync($"serviceName={Uri.EscapeDataString("mapping@@" + Name)}&ip=10.0.0.7&port=20880");
        var host = Assert.Single(await open.HostsAsync($"serviceName={Uri.EscapeDataString(Name)}&groupName=mapping"));
        Assert.Equal($"mapping@@{Name}", host.GetProperty("serviceName").GetString());
        using var list = JsonDocument.Parse(
            await open.MustAsync("GET", "v1/ns/service/list", "pageNo=1&pageSize=2147483647&groupName=mapping"));
        Assert.Equal(Name, Assert.Single(list.RootElement.GetProperty("doms").EnumerateArray()).GetString());
        using var other = JsonDocument.Parse(
            await open.MustAsync("GET", "v1/ns/service/list", "pageNo=1&pageSize=10&groupName=others"));
        Assert.Equal(0, other.RootElement.GetProperty("count").GetInt32());
    }

    [Theory]
    [InlineData("")]
    [InlineData("DEFAULT")]
    [InlineData("DEFAULT,blue")]
    [InlineData("%2Cblue")]
    public async Task A_list_repeats_the_clusters_that_were_asked_for_to_the_letter(string clusters)
    {
        await using var open = await OpenNacos.StartAsync();
        await open.RegisterAsync("serviceName=orders&ip=10.0.0.7&port=8080");
        await open.RegisterAsync("serviceName=orders&ip=10.0.0.8&port=8080&clusterName=blue");
        using var list = JsonDocument.Parse(
            await open.MustAsync("GET", "v1/ns/instance/list", $"serviceName=orders&clusters={clusters}"));
        Assert.Equal(Uri.UnescapeDataString(clusters), list.RootElement.GetProperty("clusters").GetString());
        Assert.Equal("DEFAULT_GROUP@@orders", list.RootElement.GetProperty("name").GetString());
        var ips = list.RootElement.GetProperty("hosts").EnumerateArray().Select(one => one.GetProperty("ip"))
            .Select(ip => ip.GetString());
        Assert.Equal(clusters switch
        {
            "DEFAULT" => ["10.0.0.7"],
            "%2Cblue" => ["10.0.0.8"],
            _ => (string[])["10.0.0.7", "10.0.0.8"],
        }, ips);
    }

    [Fact]
    public async Task The_last_instance_of_a_list_is_shown_as_down_for_a_while_and_our_own_API_shows_it_gone()
    {
        await using var open = await OpenNacos.StartAsync();
        await open.RegisterAsync("serviceName=orders&ip=10.0.0.7&port=8080");
        await open.RegisterAsync("serviceName=orders&ip=10.0.0.8&port=8080&clusterName=blue");
        await open.MustAsync("DELETE", "v1/ns/instance", "serviceName=orders&ip=10.0.0.8&port=8080&clusterName=blue");
        // Others are left: only who asks for the cluster that is empty now sees it.
        Assert.Equal("10.0.0.7", Ip(Assert.Single(await open.HostsAsync("serviceName=orders"))));
        var down = Assert.Single(await open.HostsAsync("serviceName=orders&clusters=blue"));
        Assert.Equal(("10.0.0.8", false), (Ip(down), down.GetProperty("healthy").GetBoolean()));
        Assert.Empty(await open.HostsAsync("serviceName=orders&clusters=blue&healthyOnly=true"));
        await open.MustAsync("DELETE", "v1/ns/instance", "serviceName=orders&ip=10.0.0.7&port=8080");
        Assert.Equal(2, (await open.HostsAsync("serviceName=orders")).Length);
        Assert.Empty((await open.ServiceAsync()).Instances);
        await open.RegisterAsync("serviceName=orders&ip=10.0.0.9&port=8080");
        Assert.Equal("10.0.0.9", Ip(Assert.Single(await open.HostsAsync("serviceName=orders"))));
        // What was never there is empty.
        Assert.Empty(await open.HostsAsync("serviceName=nobody"));
    }

    [Fact]
    public async Task A_beat_registers_again_what_is_not_there_and_a_light_one_says_that_it_cannot()
    {
        await using var open = await OpenNacos.StartAsync();
        const string Beat = """
            {"serviceName":"DEFAULT_GROUP@@orders","ip":"10.0.0.7","port":8080,"cluster":"blue","weight":3,
            "metadata":{"zone":"eu"},"scheduled":false}
            """;
        var (status, body) = await open.BeatAsync(Beat, "&namespaceId=public&serviceName=DEFAULT_GROUP%40%40orders");
        Assert.Equal((200, """{"clientBeatInterval":5000,"code":10200,"lightBeatEnabled":true}"""), (status, body));
        var back = Assert.Single((await open.ServiceAsync()).Instances);
        Assert.Equal(("10.0.0.7:8080:blue", 300, "eu"), (back.Id, back.Weight, back.Metadata?["zone"]));
        const string Light = "serviceName=DEFAULT_GROUP%40%40{0}&ip=10.0.0.7&port=8080&clusterName=blue";
        var known = await open.MustAsync(
            "PUT", "v1/ns/instance/beat", Light.Replace("{0}", "orders", StringComparison.Ordinal));
        Assert.Contains("10200", known, StringComparison.Ordinal);
        var unknown = await open.MustAsync(
            "PUT", "v1/ns/instance/beat", Light.Replace("{0}", "others", StringComparison.Ordinal));
        Assert.Contains("20404", unknown, StringComparison.Ordinal);
        // As Java's client sends it: what names the instance in the query, the beat in a form.
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("beat", Beat)]);
        var second = await open.MustAsync(
            "PUT", "v2/ns/instance/beat", "namespaceId=public&serviceName=DEFAULT_GROUP%40%40orders", form);
        Assert.Contains("\"code\":0", second, StringComparison.Ordinal);
        Assert.Single((await open.ServiceAsync()).Instances);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"ip\":\"10.0.0.7\",\"port\":8080}")]
    [InlineData("{\"serviceName\":\"a\",\"port\":8080}")]
    [InlineData("{\"serviceName\":\"a\",\"ip\":\"10.0.0.7\",\"port\":\"x\"}")]
    [InlineData("{\"serviceName\":\"a b\",\"ip\":\"10.0.0.7\",\"port\":8080}")]
    [InlineData("{\"serviceName\":\"a\",\"ip\":\"10.0.0.7\",\"port\":8080,\"weight\":-1}")]
    [InlineData("{\"serviceName\":\"a\",\"ip\":\"10.0.0.7\",\"port\":8080} and more")]
    public async Task A_beat_with_a_fault_is_refused(string beat)
    {
        await using var open = await OpenNacos.StartAsync();
        var (status, body) = await open.BeatAsync(beat);
        Assert.True(status == 400, $"{status} {body}");
        Assert.Empty((await open.ServiceAsync("a")).Instances);
    }

    [Fact]
    public async Task What_an_operator_says_outlives_beats_and_registrations()
    {
        await using var open = await OpenNacos.StartAsync();
        const string Instance = "serviceName=orders&ip=10.0.0.7&port=8080";
        await open.RegisterAsync(Instance + "&weight=2");
        await open.MustAsync("PUT", "v1/ns/instance", Instance + "&enabled=false&weight=0.2&metadata=owner%3Dolga");
        await open.BeatAsync("""{"serviceName":"orders","ip":"10.0.0.7","port":8080,"weight":2}""");
        await open.RegisterAsync(Instance + "&weight=2");
        var ours = Assert.Single((await open.ServiceAsync()).Instances);
        Assert.Equal(("out-of-service", 20, 200), (ours.Status, ours.Weight, ours.Override?.RegisteredWeight));
        // The only one there is: it is shown, so that clients hear that it is out.
        var host = Assert.Single(await open.HostsAsync("serviceName=orders"));
        Assert.False(host.GetProperty("enabled").GetBoolean());
        await open.MustAsync("PUT", "v2/ns/instance", Instance + "&enabled=true&weight=2");
        ours = Assert.Single((await open.ServiceAsync()).Instances);
        Assert.Equal(("up", 200), (ours.Status, ours.Weight));
        Assert.Null(ours.Override);
        Assert.Null(open.Running.Node.Snapshots.Current.Find(
            new ResourceKey(InstanceOverrideKind.Name, "default", "default/orders/10.0.0.7:8080")));
    }

    [Fact]
    public async Task Who_is_no_operator_changes_what_the_instance_says_of_itself()
    {
        await using var open = await OpenNacos.StartAsync();
        var key = await open.Running.MintAsync(
            "shop", [], [new Grant(["register", "renew", "discover"], ["instance"], ["default"])]);
        using var shop = open.Running.Client(key);
        const string Instance = "serviceName=orders&ip=10.0.0.7&port=8080";
        Assert.Equal(200, (await open.SendAsync("POST", "v1/ns/instance", Instance, shop)).Status);
        Assert.Equal(200, (await open.SendAsync("PUT", "v1/ns/instance", Instance + "&weight=3", shop)).Status);
        var ours = Assert.Single((await open.ServiceAsync()).Instances);
        Assert.Equal(300, ours.Weight);
        Assert.Null(ours.Override);
        var (status, body) = await open.SendAsync("PUT", "v2/ns/instance", "serviceName=x&ip=1.1.1.1&port=1", shop);
        Assert.Equal(404, status);
        Assert.Contains("21003", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_persistent_instance_stays_without_beats_and_is_as_healthy_as_it_is_said_to_be()
    {
        await using var open = await OpenNacos.StartAsync();
        const string Instance = "serviceName=orders&ip=10.0.0.7&port=8080&ephemeral=false";
        await open.RegisterAsync(Instance + "&healthy=false");
        // Alone it stays callable: the protection threshold of the service says so.
        await HasHealthAsync(open, true);
        await open.RegisterAsync("serviceName=orders&ip=10.0.0.8&port=8080");
        await HasHealthAsync(open, false, true);
        Assert.Null((await open.ServiceAsync()).Instances[0].ExpiresAt);
        await open.MustAsync("PUT", "v1/ns/health/instance", Instance + "&healthy=true");
        await HasHealthAsync(open, true, true);
        await open.RegisterAsync("serviceName=short&ip=10.0.0.7&port=8080");
        Assert.Equal(400, (await open.SendAsync(
            "PUT", "v1/ns/health/instance", "serviceName=short&ip=10.0.0.7&port=8080&healthy=false")).Status);
    }

    [Fact]
    public async Task Instances_of_other_protocols_are_found_and_removed_by_their_place()
    {
        await using var open = await OpenNacos.StartAsync();
        await open.RegisterOursAsync(new InstanceDocument("orders", "10.0.0.7", 8080)
        {
            Id = "pod-7", Cluster = "blue", Weight = 100,
        });
        var host = Assert.Single(await open.HostsAsync("serviceName=orders&clusters=blue"));
        Assert.Equal(1, host.GetProperty("weight").GetDouble());
        using var shown = JsonDocument.Parse(await open.MustAsync(
            "GET", "v2/ns/instance", "serviceName=orders&ip=10.0.0.7&port=8080&clusterName=blue"));
        Assert.Equal("10.0.0.7", Ip(shown.RootElement.GetProperty("data")));
        await open.MustAsync("DELETE", "v1/ns/instance", "serviceName=orders&ip=10.0.0.7&port=8080&clusterName=blue");
        Assert.Empty((await open.ServiceAsync()).Instances);
    }

    [Theory]
    [InlineData(12_345.678, 10_000)]
    [InlineData(0.001, 1)]
    [InlineData(0, 0)]
    [InlineData(1, 100)]
    [InlineData(0.333333, 33)]
    public async Task A_weight_comes_back_as_it_was_sent(double sent, int ours)
    {
        await using var open = await OpenNacos.StartAsync();
        var weight = Math.Min(sent, NacosWords.MaxWeight);
        await open.RegisterAsync(FormattableString.Invariant(
            $"serviceName=orders&ip=10.0.0.7&port=8080&weight={weight}"));
        Assert.Equal(ours, Assert.Single((await open.ServiceAsync()).Instances).Weight);
        var host = Assert.Single(await open.HostsAsync("serviceName=orders"));
        Assert.Equal(weight, host.GetProperty("weight").GetDouble());
    }

    private static async Task HasHealthAsync(OpenNacos open, params bool[] wanted)
    {
        var hosts = await open.HostsAsync("serviceName=orders");
        Assert.Equal(wanted, hosts.Select(host => host.GetProperty("healthy").GetBoolean()));
    }

    private static string? Ip(JsonElement host) => host.GetProperty("ip").GetString();
}

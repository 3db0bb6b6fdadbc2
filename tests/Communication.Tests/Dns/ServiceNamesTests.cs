using Groundwork.Communication.Tests.Gateway;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>Services over DNS, as an unmodified dig sees them.</summary>
public sealed class ServiceNamesTests
{
    private static readonly ServiceKey Orders = HeldServices.Key("Orders");

    [Theory]
    [InlineData("orders.service.groundwork")]
    [InlineData("OrDeRs.SERVICE.groundwork")]
    [InlineData("orders.service.default.groundwork")]
    [InlineData("orders.service.consul")]
    [InlineData("orders.service.dc1.consul")]
    public async Task Healthy_instances_are_answered_and_no_other(string name)
    {
        await using var names = await TestNames.StartAsync();
        Register(names);
        Assert.Equal(["10.0.0.1", "10.0.0.2"], await names.ShortAsync(name, "A"));
        Assert.Equal(["2001:db8::7"], await names.ShortAsync(name, "AAAA"));
        Assert.Equal(["10.0.0.1", "10.0.0.2"], await names.ShortAsync("+tcp", name, "A"));
    }

    [Theory]
    [InlineData("orders.service.shop.groundwork")]
    [InlineData("orders.service.dc2.consul")]
    [InlineData("payments.service.groundwork")]
    [InlineData("orders.node.consul")]
    [InlineData("nothing.groundwork")]
    public async Task A_name_that_no_service_has_is_denied_with_the_zones_soa(string name)
    {
        await using var names = await TestNames.StartAsync();
        Register(names);
        var text = await names.DigAsync(name, "A");
        Assert.Contains("status: NXDOMAIN", text);
        Assert.Contains("flags: qr aa rd;", text);
        Assert.Matches(@"AUTHORITY SECTION:\n(groundwork|consul)\.\s+1\s+IN\s+SOA", text);
    }

    [Fact]
    public async Task A_type_that_a_service_does_not_have_is_no_error()
    {
        await using var names = await TestNames.StartAsync();
        Register(names);
        foreach (var type in new[] { "MX", "CAA", "TYPE65" })
        {
            var text = await names.DigAsync("orders.service.groundwork", type);
            Assert.Contains("status: NOERROR", text);
            Assert.Contains("ANSWER: 0, AUTHORITY: 1", text);
        }
        names.Registry.Put(HeldServices.Key("idle"), TestNames.Unhealthy(TestNames.Instance(
            HeldServices.Key("idle"), "10.0.0.5", 80)));
        Assert.Contains("status: NOERROR", await names.DigAsync("idle.service.groundwork", "A"));
    }

    [Fact]
    public async Task Srv_has_weight_port_and_a_target_that_resolves()
    {
        await using var names = await TestNames.StartAsync();
        Register(names);
        foreach (var name in new[]
        {
            "orders.service.consul", "_orders._tcp.service.consul", "_orders._blue.service.consul",
        })
        {
            var servers = await names.ShortAsync(name, "SRV");
            Assert.Contains("1 30 8080 0a000001.addr.consul.", servers);
            Assert.Equal(name.Contains("_blue", StringComparison.Ordinal) ? 1 : 3, servers.Length);
        }
        Assert.Equal(["10.0.0.1"], await names.ShortAsync("0a000001.addr.dc1.consul", "A"));
        var text = await names.DigAsync("orders.service.consul", "SRV");
        Assert.Matches(@"ADDITIONAL SECTION:\n(.*\n)*0a000001\.addr\.consul\.\s+1\s+IN\s+A\s+10\.0\.0\.1", text);
    }

    [Fact]
    public async Task A_tag_chooses_and_one_that_no_instance_has_is_no_name()
    {
        await using var names = await TestNames.StartAsync();
        Register(names);
        Assert.Equal(["10.0.0.1"], await names.ShortAsync("blue.orders.service.consul", "A"));
        // It exists: an instance has the tag, and is not healthy.
        Assert.Contains("status: NOERROR", await names.DigAsync("red.orders.service.consul", "A"));
        Assert.Contains("status: NXDOMAIN", await names.DigAsync("green.orders.service.consul", "A"));
    }

    [Fact]
    public async Task Another_group_and_a_name_with_dots_are_found()
    {
        await using var names = await TestNames.StartAsync();
        var grouped = new ServiceKey("shop", "blue", "com.acme.Orders");
        names.Registry.Put(grouped, TestNames.Instance(grouped, "10.1.0.1", 20880));
        Assert.Equal(["10.1.0.1"], await names.ShortAsync(@"blue\@\@com.acme.orders.service.shop.groundwork", "A"));
        Assert.Contains("status: NXDOMAIN", await names.DigAsync("com.acme.orders.service.shop.groundwork", "A"));
    }

    [Fact]
    public async Task Names_that_differ_in_case_alone_are_refused()
    {
        await using var names = await TestNames.StartAsync();
        Register(names);
        names.Registry.Put(HeldServices.Key("orders"), TestNames.Instance(HeldServices.Key("orders"), "10.9.0.1", 80));
        var text = await names.DigAsync("orders.service.groundwork", "A");
        Assert.Contains("status: REFUSED", text);
        Assert.Contains("differ in case alone", text);
    }

    [Fact]
    public async Task What_nobody_is_granted_is_refused_whether_it_is_there_or_not()
    {
        await using var names = await TestNames.StartAsync(grant: false);
        Register(names);
        foreach (var name in new[] { "orders.service.groundwork", "payments.service.groundwork" })
        {
            var text = await names.DigAsync(name, "A");
            Assert.Contains("status: REFUSED", text);
            Assert.Contains("EDE: 18 (Prohibited)", text);
        }
        Assert.Contains("status: REFUSED", await names.DigAsync("-x", "10.0.0.1"));
    }

    [Fact]
    public async Task An_instance_that_names_its_host_is_an_alias()
    {
        await using var names = await TestNames.StartAsync();
        var key = HeldServices.Key("legacy");
        names.Registry.Put(key, TestNames.Instance(key, "db.example.com", 5432));
        Assert.Equal(["db.example.com."], await names.ShortAsync("legacy.service.groundwork", "A"));
        Assert.Equal(["db.example.com."], await names.ShortAsync("legacy.service.groundwork", "CNAME"));
        Assert.Equal(["1 100 5432 db.example.com."], await names.ShortAsync("legacy.service.groundwork", "SRV"));
    }

    [Fact]
    public async Task Texts_and_addresses_tell_what_is_there()
    {
        await using var names = await TestNames.StartAsync();
        var key = HeldServices.Key("orders");
        names.Registry.Put(key, TestNames.Instance(key, "10.0.0.1", 8080, "one") with
        {
            Version = "1.2", Zone = "eu-1", Metadata = TextMap.Of([KeyValuePair.Create("path", "/a \"b\"")]),
        });
        Assert.Equal(
            ["\"id=one\" \"port=8080\" \"weight=100\" \"version=1.2\" \"zone=eu-1\" \"path=/a \\\"b\\\"\""],
            await names.ShortAsync("orders.service.groundwork", "TXT"));
        Assert.Equal(["orders.service.groundwork."], await names.ShortAsync("-x", "10.0.0.1"));
        Assert.Contains("status: REFUSED", await names.DigAsync("-x", "10.0.0.99"));
    }

    [Fact]
    public async Task Services_are_browsed_as_dns_sd_has_it()
    {
        await using var names = await TestNames.StartAsync();
        var key = HeldServices.Key("orders");
        names.Registry.Put(key, TestNames.Instance(key, "10.0.0.1", 8080, "one"));
        Assert.Equal(
            ["_orders._tcp.service.groundwork."],
            await names.ShortAsync("_services._dns-sd._udp.service.groundwork", "PTR"));
        Assert.Equal(
            ["one._orders._tcp.service.groundwork."], await names.ShortAsync("_orders._tcp.service.groundwork", "PTR"));
        Assert.Equal(
            ["1 100 8080 0a000001.addr.groundwork."],
            await names.ShortAsync("one._orders._tcp.service.groundwork", "SRV"));
        Assert.Contains(
            "NXDOMAIN", await names.DigAsync("two._orders._tcp.service.groundwork", "SRV"));
    }

    [Fact]
    public async Task A_change_is_answered_with_the_next_question()
    {
        await using var names = await TestNames.StartAsync();
        var key = HeldServices.Key("orders");
        var one = TestNames.Instance(key, "10.0.0.1", 8080);
        names.Registry.Put(key, one);
        Assert.Equal(["10.0.0.1"], await names.ShortAsync("orders.service.groundwork", "A"));
        names.Registry.Put(key, TestNames.Unhealthy(one), TestNames.Instance(key, "10.0.0.2", 8080));
        Assert.Equal(["10.0.0.2"], await names.ShortAsync("orders.service.groundwork", "A"));
        Assert.Matches(
            @"orders\.service\.groundwork\.\s+1\s+IN\s+A", await names.DigAsync("orders.service.groundwork"));
    }

    private static void Register(TestNames names) => names.Registry.Put(
        Orders,
        TestNames.Instance(Orders, "10.0.0.1", 8080) with { Tags = ["blue"], Weight = 30 },
        TestNames.Instance(Orders, "10.0.0.2", 8080),
        TestNames.Unhealthy(TestNames.Instance(Orders, "10.0.0.3", 8080) with { Tags = ["red"] }),
        TestNames.Instance(Orders, "10.0.0.4", 8080) with { Status = InstanceStatus.Draining },
        TestNames.Instance(Orders, "[2001:db8::7]", 8080));
}

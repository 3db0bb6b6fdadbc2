using System.Text.RegularExpressions;
using Groundwork.Communication.Dns;
using Groundwork.Communication.Dns.Zones;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>Zones that are resources, beside a real BIND with the same zone as text.</summary>
public sealed partial class ZoneTests
{
    private const string Text =
        """
        $TTL 60
        @ IN SOA ns hostmaster 1 3600 600 86400 10
        @ IN NS ns
        @ IN A 192.0.2.1
        @ IN MX 10 mail
        @ IN MX 20 backup.example.net.
        @ IN TXT "v=spf1 -all"
        ns IN A 192.0.2.53
        www IN A 192.0.2.2
        www IN A 192.0.2.3
        www IN AAAA 2001:db8::2
        alias IN CNAME www
        chain IN CNAME alias
        away IN CNAME www.example.net.
        _sip._tcp IN SRV 1 30 5060 www
        long IN 30 TXT "one"
        *.wild IN A 192.0.2.9
        deep.below.there IN A 192.0.2.10
        """;

    private static readonly DnsZoneSpec Spec = new(
    [
        new("@", "NS", ["ns"]),
        new("@", "A", ["192.0.2.1"]),
        new("@", "MX", ["10 mail", "20 backup.example.net."]),
        new("@", "TXT", ["v=spf1 -all"]),
        new("ns", "A", ["192.0.2.53"]),
        new("www", "A", ["192.0.2.2", "192.0.2.3"]),
        new("www", "AAAA", ["2001:db8::2"]),
        new("alias", "CNAME", ["www"]),
        new("chain", "CNAME", ["alias"]),
        new("away", "CNAME", ["www.example.net."]),
        new("_sip._tcp", "SRV", ["1 30 5060 www"]),
        new("long", "TXT", ["one"], TtlSeconds: 30),
        new("*.wild", "A", ["192.0.2.9"]),
        new("deep.below.there", "A", ["192.0.2.10"]),
    ]);

    [Fact]
    public async Task Answers_are_those_of_bind()
    {
        await using var named = await NamedServer.StartAsync("corp.example", Text);
        await using var names = await TestNames.StartAsync();
        names.Zone("corp.example", Spec);
        string[] owners =
        [
            "", "ns", "www", "WWW", "alias", "chain", "away", "_sip._tcp", "_tcp", "long", "x.wild", "x.y.wild", "wild",
            "there", "below.there", "deep.below.there", "x.deep.below.there", "missing", "missing.www",
        ];
        var compared = 0;
        foreach (var owner in owners)
        {
            foreach (var type in new[] { "A", "AAAA", "CNAME", "MX", "TXT", "SRV", "NS" })
            {
                string[] question = [owner.Length == 0 ? "corp.example" : $"{owner}.corp.example", type];
                var theirs = Essence(await named.DigAsync(question));
                Assert.Equal($"{string.Join(' ', question)}\n{theirs}",
                    $"{string.Join(' ', question)}\n{Essence(await names.DigAsync(question))}");
                compared++;
            }
        }
        Assert.Equal(owners.Length * 7, compared);
    }

    [Fact]
    public async Task A_name_of_a_zone_stands_for_the_instances_of_a_service()
    {
        await using var names = await TestNames.StartAsync(grant: false);
        var key = new ServiceKey("shop", "default", "orders");
        var one = TestNames.Instance(key, "10.0.0.1", 8080);
        names.Registry.Put(key, one, TestNames.Unhealthy(TestNames.Instance(key, "10.0.0.2", 8080)));
        names.Zone("corp.example", new DnsZoneSpec(
            [new("api", Service: "shop/orders", TtlSeconds: 3), new("front", "CNAME", ["api"])]));
        // Whoever writes the zone publishes the service: nobody needs a role to see it.
        Assert.Equal(["10.0.0.1"], await names.ShortAsync("api.corp.example", "A"));
        Assert.Equal(["10.0.0.1", "api.corp.example."], await names.ShortAsync("front.corp.example", "A"));
        Assert.Equal(["1 100 8080 0a000001.addr.groundwork."], await names.ShortAsync("api.corp.example", "SRV"));
        Assert.Matches(@"api\.corp\.example\.\s+3\s+IN\s+A", await names.DigAsync("api.corp.example"));
    }

    [Fact]
    public async Task A_changed_zone_is_answered_at_once_and_a_deleted_one_no_more()
    {
        await using var names = await TestNames.StartAsync();
        names.Zone("corp.example", new DnsZoneSpec([new("www", "A", ["192.0.2.2"])]));
        Assert.Equal(["192.0.2.2"], await names.ShortAsync("www.corp.example"));
        names.Zone("corp.example", new DnsZoneSpec([new("www", "A", ["192.0.2.3"])]));
        Assert.Equal(["192.0.2.3"], await names.ShortAsync("www.corp.example"));
        names.Snapshots.Delete(new ResourceKey(DnsZoneKind.Name, "", "corp.example"));
        Assert.Contains("status: REFUSED", await names.DigAsync("www.corp.example"));
    }

    [Fact]
    public async Task A_circle_of_aliases_ends()
    {
        await using var names = await TestNames.StartAsync();
        names.Zone("corp.example", new DnsZoneSpec([new("a", "CNAME", ["b"]), new("b", "CNAME", ["a"])]));
        Assert.Equal(8, (await names.ShortAsync("a.corp.example")).Length);
    }

    [Theory]
    [InlineData("Corp.example", "@", "A", "192.0.2.1", "name")]
    [InlineData("groundwork", "@", "A", "192.0.2.1", "name")]
    [InlineData("@", "www", "A", "192.0.2.1", "spec.records")]
    [InlineData("a.example", "www", "A", "192.0.2.256", "spec.records[0].values[0]")]
    [InlineData("a.example", "www", "A", "1", "spec.records[0].values[0]")]
    [InlineData("a.example", "www", "AAAA", "192.0.2.1", "spec.records[0].values[0]")]
    [InlineData("a.example", "www", "SRV", "1 2 host", "spec.records[0].values[0]")]
    [InlineData("a.example", "www", "MX", "65536 mail", "spec.records[0].values[0]")]
    [InlineData("a.example", "www", "SOA", "x", "spec.records[0].type")]
    [InlineData("a.example", "@", "CNAME", "www", "spec.records[0].type")]
    [InlineData("a.example", "sub", "NS", "ns", "spec.records[0].type")]
    [InlineData("a.example", "www.b.example.", "A", "192.0.2.1", "spec.records[0].name")]
    [InlineData("a.example", "..", "A", "192.0.2.1", "spec.records[0].name")]
    public void A_zone_with_a_fault_is_refused_with_its_field(
        string zone, string name, string type, string value, string field)
    {
        var faults = new List<FieldFault>();
        ZoneRules.Check(zone, new DnsZoneSpec([new(name, type, [value])]), faults);
        Assert.Contains(field, faults.Select(fault => fault.Path));
    }

    [Fact]
    public void An_alias_stands_alone_and_a_zone_has_records_or_servers()
    {
        var faults = new List<FieldFault>();
        ZoneRules.Check(
            "a.example", new DnsZoneSpec([new("w", "CNAME", ["x"]), new("w", "A", ["192.0.2.1"])]), faults);
        ZoneRules.Check("a.example", new DnsZoneSpec([new("w", "A", ["192.0.2.1"])], ["10.0.0.1"]), faults);
        ZoneRules.Check("a.example", new DnsZoneSpec(), faults);
        ZoneRules.Check("a.example", new DnsZoneSpec(Forward: ["resolver"]), faults);
        Assert.Equal(
            ["spec.records", "spec", "spec", "spec.forward[0]"], faults.Select(fault => fault.Path));
    }

    // Code, answers in one order, and the SOA's owner of a denial: what a resolver goes by.
    private static string Essence(string text)
    {
        var lines = text.Split('\n');
        var status = Status().Match(text).Value;
        var answers = Section(lines, "ANSWER");
        var soa = Section(lines, "AUTHORITY").Where(line => line.Contains(" soa ", StringComparison.Ordinal))
            .Select(line => string.Join(' ', line.Split(' ')[..4]));
        return string.Join('\n', [status, .. answers, .. soa]);
    }

    private static IEnumerable<string> Section(string[] lines, string name) => lines
        .SkipWhile(line => !line.StartsWith($";; {name} SECTION", StringComparison.Ordinal)).Skip(1)
        .TakeWhile(line => line.Length > 0)
        // BIND writes the owner as its zone has it, we as it was asked for: names are the same in any case.
        .Select(line => Blanks().Replace(line, " ").ToLowerInvariant())
        .Order(StringComparer.Ordinal);

    [GeneratedRegex(@"status: \w+", RegexOptions.None, 1000)]
    private static partial Regex Status();

    [GeneratedRegex(@"\s+", RegexOptions.None, 1000)]
    private static partial Regex Blanks();
}

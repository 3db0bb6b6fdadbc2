using System.Net;
using Groundwork.Communication.Dns;
using Groundwork.Communication.Dns.Answering;
using Groundwork.Communication.Dns.Steering;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>Which addresses some clients get.</summary>
public sealed class SteeringTests
{
    private static readonly ServiceKey Api = new("default", "default", "api");
    private static readonly DnsName Name = DnsName.Parse("api.corp.example");

    [Fact]
    public async Task Of_three_regions_the_nearest_healthy_answers_and_the_next_when_it_dies()
    {
        await using var names = await StartAsync();
        foreach (var (rule, network, zones) in new[]
        {
            ("europe", "192.0.2.0/24", new[] { "eu", "us", "asia" }),
            ("america", "198.51.100.0/24", ["us", "eu", "asia"]),
            ("asia", "2001:db8:a::/48", ["asia", "us", "eu"]),
        })
            names.Put(DnsRuleKind.Kind, rule, new DnsRuleSpec(["api.corp.example"], Networks: [network], Zones: zones));
        Assert.Equal(["10.0.1.1"], Ask(names, "192.0.2.9"));
        Assert.Equal(["10.0.2.1"], Ask(names, "198.51.100.9"));
        Assert.Equal(["10.0.3.1"], Ask(names, "2001:db8:a::9"));
        // Who is in none of them has all there are.
        Assert.Equal(["10.0.1.1", "10.0.2.1", "10.0.3.1"], Ask(names, "203.0.113.1"));
        Register(names, dead: "eu");
        Assert.Equal(["10.0.2.1"], Ask(names, "192.0.2.9"));
        Register(names, dead: "eu us");
        Assert.Equal(["10.0.3.1"], Ask(names, "192.0.2.9"));
        Register(names);
        Assert.Equal(["10.0.1.1"], Ask(names, "192.0.2.9"));
        // As a resolver in front says it, with how much of it counts.
        var text = await names.DigAsync("+subnet=198.51.100.0/24", "api.corp.example");
        Assert.Contains("10.0.2.1", text);
        Assert.Contains("CLIENT-SUBNET: 198.51.100.0/24/24", text);
    }

    [Fact]
    public async Task Rules_are_asked_in_their_order_and_one_that_leads_to_nothing_is_passed_over()
    {
        await using var names = await StartAsync();
        names.Put(DnsRuleKind.Kind, "b", new DnsRuleSpec(["*.corp.example"], Order: -1, Zones: ["eu"]));
        Assert.Equal(["10.0.1.1"], Ask(names, "192.0.2.9"));
        names.Put(DnsRuleKind.Kind, "a", new DnsRuleSpec(["api.corp.example"], Zones: ["mars"]));
        Assert.Equal(["10.0.1.1"], Ask(names, "192.0.2.9"));
        names.Put(DnsRuleKind.Kind, "c", new DnsRuleSpec(["api.corp.example"], Order: 1, Addresses: ["192.0.2.200"]));
        Assert.Equal(["192.0.2.200"], Ask(names, "192.0.2.9"));
        names.Put(DnsRuleKind.Kind, "d", new DnsRuleSpec(["api.corp.example"], Version: "2"));
        Assert.Equal(["10.0.2.1"], Ask(names, "192.0.2.9"));
        // Of another type there is nothing, and not the rest.
        Assert.Empty(Ask(names, "192.0.2.9", DnsType.Aaaa));
    }

    [Fact]
    public async Task Labels_time_and_percent_decide_too()
    {
        await using var names = await StartAsync();
        names.Put(DnsRuleKind.Kind, "a", new DnsRuleSpec(
            ["api.corp.example"], Labels: new Dictionary<string, string> { ["tier"] = "gold" }, Zones: ["eu"]));
        Assert.Equal(3, Ask(names, "192.0.2.9").Length);
        Assert.Equal(["10.0.1.1"], Ask(names, "192.0.2.9", labels: new() { ["tier"] = "gold", ["x"] = "y" }));
        Assert.Equal(3, Ask(names, "192.0.2.9", labels: new() { ["tier"] = "iron" }).Length);
        var now = new DateTimeOffset(2026, 1, 1, 23, 0, 0, TimeSpan.Zero);
        var client = IPAddress.Parse("192.0.2.9");
        foreach (var (rule, holds) in new[]
        {
            (new DnsRuleSpec(["a.example"], Hours: "22:00-06:00", Zones: ["eu"]), true),
            (new DnsRuleSpec(["a.example"], Hours: "06:00-22:00", Zones: ["eu"]), false),
            (new DnsRuleSpec(["a.example"], From: now, Zones: ["eu"]), true),
            (new DnsRuleSpec(["a.example"], From: now.AddSeconds(1), Zones: ["eu"]), false),
            (new DnsRuleSpec(["a.example"], Until: now.AddSeconds(1), Zones: ["eu"]), true),
            (new DnsRuleSpec(["a.example"], Until: now, Zones: ["eu"]), false),
            (new DnsRuleSpec(["a.example"], Percent: 100, Zones: ["eu"]), true),
            (new DnsRuleSpec(["a.example"], Percent: 0, Zones: ["eu"]), false),
        })
            Assert.Equal(holds, Compile(names, rule).Holds(client, null, now));
    }

    [Fact]
    public async Task A_percentage_takes_the_same_clients_and_more_of_them_when_it_grows()
    {
        await using var names = await StartAsync();
        var narrow = Compile(names, new DnsRuleSpec(["a.example"], Percent: 20, Zones: ["eu"]));
        var wide = Compile(names, new DnsRuleSpec(["a.example"], Percent: 30, Zones: ["eu"]));
        var clients = Enumerable.Range(0, 10_000).Select(
            one => new IPAddress([10, (byte)(one >> 8), (byte)one, 1])).ToList();
        var few = clients.Where(one => narrow.Holds(one, null, DateTimeOffset.UnixEpoch)).ToHashSet();
        var more = clients.Where(one => wide.Holds(one, null, DateTimeOffset.UnixEpoch)).ToHashSet();
        Assert.InRange(few.Count, 1_850, 2_150);
        Assert.InRange(more.Count, 2_850, 3_150);
        Assert.Subset(more, few);
        Assert.Equal(
            narrow.Holds(IPAddress.Parse("10.0.0.1"), null, default), narrow.Holds(
                IPAddress.Parse("10.0.0.200"), null, default));
    }

    [Fact]
    public void A_rule_with_a_fault_is_refused_with_its_field()
    {
        foreach (var (rule, field) in new[]
        {
            (new DnsRuleSpec(["a..b"], Zones: ["eu"]), "spec.names[0]"),
            (new DnsRuleSpec(["a.b"], Networks: ["10.0.0.1/8/1"], Zones: ["eu"]), "spec.networks[0]"),
            (new DnsRuleSpec(["a.b"], Hours: "8-9", Zones: ["eu"]), "spec.hours"),
            (new DnsRuleSpec(["a.b"], Addresses: ["10.0.0.256"]), "spec.addresses[0]"),
            (new DnsRuleSpec(["a.b"]), "spec"),
            (new DnsRuleSpec(["a.b"], Zones: ["eu"], Addresses: ["10.0.0.1"]), "spec"),
            (new DnsRuleSpec(["a.b"], From: DateTimeOffset.UnixEpoch, Until: DateTimeOffset.UnixEpoch, Zones: ["eu"]),
                "spec.until"),
            (new DnsRuleSpec(["a.b"], Labels: new Dictionary<string, string>(), Zones: ["eu"]), "spec.labels"),
        })
        {
            var faults = new List<FieldFault>();
            RuleRules.Check(rule, faults);
            Assert.Contains(field, faults.Select(fault => fault.Path));
        }
    }

    private static SteeringRule Compile(TestNames names, DnsRuleSpec spec)
    {
        names.Put(DnsRuleKind.Kind, "compiled", spec);
        return SteeringRule.Compile(names.Snapshots.Current.Find(DnsRuleKind.Name, "", "compiled")!); // Just put.
    }

    private static async Task<TestNames> StartAsync()
    {
        var names = await TestNames.StartAsync();
        names.Zone("corp.example", new DnsZoneSpec([new("api", Service: "api")]));
        Register(names);
        return names;
    }

    private static void Register(TestNames names, string dead = "") => names.Registry.Put(
        Api,
        [
            .. new[] { ("eu", "10.0.1.1", "1"), ("us", "10.0.2.1", "2"), ("asia", "10.0.3.1", "1") }.Select(one =>
            {
                var instance = TestNames.Instance(Api, one.Item2, 80) with { Zone = one.Item1, Version = one.Item3 };
                return dead.Split(' ').Contains(one.Item1) ? TestNames.Unhealthy(instance) : instance;
            }),
        ]);

    private static string[] Ask(
        TestNames names, string client, DnsType type = DnsType.A, Dictionary<string, string>? labels = null)
    {
        var asker = Asker.OfZones(IPAddress.Parse(client), labels);
        var response = names.Names.Answer(DnsQuery.Of(Name, type), asker).Response;
        return [.. response!.Answers.Select(one => DnsText.Describe(one)).Order(StringComparer.Ordinal)];
    }
}

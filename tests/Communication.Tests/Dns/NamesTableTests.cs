using System.Text.RegularExpressions;
using Groundwork.Communication.Dns.Answering;
using Groundwork.Communication.Tests.Gateway;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>The one table of names: the page of it and its code say the same.</summary>
public sealed partial class NamesTableTests
{
    [Fact]
    public async Task Each_row_of_the_page_is_what_the_code_says_there_and_back()
    {
        var page = await File.ReadAllTextAsync(
            Path.Combine(GroundworkProcess.Repository, "docs", "protocols", "names.md"));
        var rows = Row().Matches(page);
        Assert.True(rows.Count >= 4, $"only {rows.Count} rows");
        foreach (Match row in rows)
        {
            Assert.True(ServiceKey.TryParse(row.Groups["ours"].Value, "", out var ours));
            var key = ours.Value;
            var (nacosNamespace, nacos) = (row.Groups["nacosNamespace"].Value, row.Groups["nacos"].Value);
            Assert.Equal((nacosNamespace, nacos), (
                ProtocolNames.NamespaceToNacos(key.Namespace), ProtocolNames.ToNacos(key)));
            Assert.Equal(key, ProtocolNames.OfNacos(nacosNamespace, "another", nacos).Value);
            Assert.Equal(row.Groups["consul"].Value, ProtocolNames.ToConsul(key));
            Assert.Equal(
                key, ProtocolNames.OfConsul("dc1", row.Groups["ns"].Value, row.Groups["consul"].Value).Value);
            if (row.Groups["eureka"].Value is { Length: > 0 } eureka)
            {
                Assert.Equal(eureka, ProtocolNames.ToEureka(key));
                Assert.Equal(
                    key.ToFullName(), ProtocolNames.OfEureka(eureka).Value.ToFullName(), ignoreCase: true);
            }
            Assert.Equal(row.Groups["dns"].Value, AddressZone.NameOf(key)?.ToString());
            Assert.Equal(row.Groups["xds"].Value, ProtocolNames.ToXds(key));
            Assert.Equal(key, ProtocolNames.OfXds(row.Groups["xds"].Value).Value);
            Assert.Equal(key, ProtocolNames.OfXds(Uri.UnescapeDataString(row.Groups["xds"].Value)).Value);
            Assert.Equal(row.Groups["etcd"].Value, ProtocolNames.ToEtcd(key));
            Assert.Equal(key, ProtocolNames.OfEtcd(row.Groups["etcd"].Value).Value);
            var registry = new HeldServices();
            registry.Put(key, TestNames.Instance(key, "10.0.0.1", 80));
            var question = ServiceQuestion.Read(
                DnsName.Parse(row.Groups["dns"].Value), DnsName.Parse("groundwork"), isConsul: false);
            Assert.Equal(NameMatch.One, question.Find(registry, out var found, out _, out var tag));
            Assert.Equal((key, null), (found, tag));
        }
    }

    [Fact]
    public void What_is_left_out_is_the_default_and_what_cannot_be_is_refused()
    {
        var orders = new ServiceKey("default", "default", "orders");
        foreach (var ns in new[] { null, "", "public", "default" })
            foreach (var group in new[] { null, "", "DEFAULT_GROUP", "default" })
                Assert.Equal(orders, ProtocolNames.OfNacos(ns, group, "orders").Value);
        Assert.Equal(orders with { Group = "blue" }, ProtocolNames.OfNacos("public", "blue", "orders").Value);
        Assert.Equal(ErrorCodes.NamespaceInvalid, ProtocolNames.OfNacos("Shop", null, "orders").Fault?.Error);
        Assert.Equal(ErrorCodes.NameInvalid, ProtocolNames.OfNacos(null, null, "a/b").Fault?.Error);
        Assert.Equal(ErrorCodes.NameInvalid, ProtocolNames.OfNacos(null, "g", "a@@b@@c").Fault?.Error);
        Assert.Equal(ErrorCodes.NameInvalid, ProtocolNames.OfConsul("dc2", null, "orders").Fault?.Error);
        Assert.Equal(orders, ProtocolNames.OfConsul("DC1", "", "orders").Value);
        Assert.Equal(ErrorCodes.NameInvalid, ProtocolNames.OfEureka("").Fault?.Error);
        Assert.Equal(ErrorCodes.NameInvalid, ProtocolNames.OfEtcd("").Fault?.Error);
        Assert.Equal(ErrorCodes.NameInvalid, ProtocolNames.OfEtcd("shop/orders").Fault?.Error);
        Assert.Equal(ErrorCodes.NamespaceInvalid, ProtocolNames.OfEtcd("Shop%2Forders").Fault?.Error);
    }

    [Fact]
    public void Of_two_that_differ_in_case_the_one_with_instances_counts_and_two_are_ambiguous()
    {
        var registry = new HeldServices();
        var (upper, lower) = (HeldServices.Key("Orders"), HeldServices.Key("orders"));
        Assert.Equal(NameMatch.None, registry.ByName.Find(registry, "default/default@@orders", out _));
        registry.Put(upper, TestNames.Instance(upper, "10.0.0.1", 80));
        registry.Put(lower);
        Assert.Equal(NameMatch.One, registry.ByName.Find(registry, "DEFAULT/default@@ORDERS", out var view));
        Assert.Equal(upper, view?.Key);
        registry.Put(lower, TestNames.Instance(lower, "10.0.0.2", 80));
        Assert.Equal(NameMatch.Ambiguous, registry.ByName.Find(registry, "default/default@@orders", out view));
        Assert.Null(view);
        registry.ByName.Remove(upper);
        Assert.Equal(NameMatch.One, registry.ByName.Find(registry, "default/default@@orders", out view));
        Assert.Equal(lower, view?.Key);
    }

    [GeneratedRegex(
        @"^\| `(?<ours>\w+/[^`]+@@[^`]+)` \| `(?<nacosNamespace>[^`]+)` `(?<nacos>[^`]+)` "
        + @"\| (`(?<ns>[^`]+)` )?`(?<consul>[^`]+)` \| (–|`(?<eureka>[^`]+)`) \| `(?<dns>[^`]+)` "
        + @"\| `(?<xds>[^`]+)` \| `(?<etcd>[^`]+)` \|$",
        RegexOptions.Multiline, 1000)]
    private static partial Regex Row();
}

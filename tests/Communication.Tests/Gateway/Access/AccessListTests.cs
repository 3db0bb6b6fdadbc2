using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>Lists of who passes and who does not, through a real listener.</summary>
public sealed class AccessListTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.255.255", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0", false)]
    [InlineData("10.0.0.0/8", "9.255.255.255", false)]
    [InlineData("0.0.0.0/0", "255.255.255.255", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("::/0", "2001:db8::1", true)]
    [InlineData("::/0", "10.0.0.1", false)]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    [InlineData("192.0.2.7", "::ffff:192.0.2.7", true)] // As a listener on both families gets it.
    [InlineData("2001:db8::/32", "2001:db8:ffff::", true)]
    [InlineData("2001:db8::/32", "2001:db9::", false)]
    [InlineData("10.0.0.0/8 10.1.0.0/16 192.0.2.0/24 10.1.2.3", "10.200.0.1", true)]
    [InlineData("10.1.0.0/16 10.3.0.0/16 10.5.0.0/16", "10.4.0.1", false)]
    [InlineData("10.1.0.0/16 10.3.0.0/16 10.5.0.0/16", "10.5.255.255", true)]
    public void Networks_have_the_addresses_they_have(string networks, string address, bool expected) =>
        // They are valid.
        Assert.Equal(expected, AddressRanges.Compile(networks.Split(' '))!.Contains(IPAddress.Parse(address)));

    [Fact]
    public void Networks_agree_with_the_frameworks_on_thousands_of_addresses()
    {
        var random = new Random(20261121);
        var networks = new List<IPNetwork>();
        for (var count = 0; count < 300; count++)
        {
            var bytes = new byte[random.Next(2) == 0 ? 4 : 16];
            random.NextBytes(bytes);
            bytes[0] = (byte)(bytes.Length == 4 ? 10 : 0x20); // Near each other, so that they overlap.
            bytes[1] &= 3;
            var length = random.Next(8, bytes.Length * 8 + 1);
            for (var bit = length; bit < bytes.Length * 8; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
            networks.Add(new IPNetwork(new IPAddress(bytes), length));
        }
        var ranges = AddressRanges.Compile(networks.Select(one => one.ToString()))!; // Valid.
        var found = 0;
        for (var count = 0; count < 20_000; count++)
        {
            var near = networks[random.Next(networks.Count)].BaseAddress.GetAddressBytes();
            near[random.Next(near.Length)] ^= (byte)(1 << random.Next(8));
            var address = new IPAddress(near);
            var expected = networks.Any(one => one.Contains(address));
            Assert.Equal(expected, ranges.Contains(address));
            found += expected ? 1 : 0;
        }
        Assert.InRange(found, 1_000, 19_000);
    }

    [Fact]
    public async Task A_denied_network_is_refused_and_an_allowed_one_alone_passes()
    {
        await using var instance = await WebInstance.NamedAsync("in");
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address);
        Assert.Equal("in", await edge.RouteWith(new(Deny: new(Clients: ["10.0.0.0/8"]))).Client.GetStringAsync("/"));
        await RefusedAsync(edge.RouteWith(new(Deny: new(Clients: ["10.0.0.0/8", "127.0.0.1"]))), 403, "access_denied");
        Assert.Equal("in", await edge.RouteWith(new(Allow: new(Clients: ["127.0.0.0/8"]))).Client.GetStringAsync("/"));
        await RefusedAsync(edge.RouteWith(new(Allow: new(Clients: ["10.0.0.0/8"]))), 403, "access_denied");
        await RefusedAsync(edge.RouteWith(new(Allow: new(Clients: []))), 403, "access_denied");
        // Deny goes first.
        await RefusedAsync(
            edge.RouteWith(new(new(Clients: ["127.0.0.1"]), new(Clients: ["127.0.0.0/8"]))), 403, "access_denied");
        Assert.Equal(2, instance.Requests);
    }

    [Fact]
    public async Task One_change_of_a_shared_list_holds_for_the_next_request_of_every_route_that_names_it()
    {
        await using var instance = await WebInstance.NamedAsync("in");
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(new(Deny: new(Lists: ["blocked"])));
        edge.Snapshots.Put(Routes.Resource("other", new RouteSpec(
            new MatchSpec(["127.0.0.1"], "/other/**"), "service",
            Access: new(Deny: new(Lists: ["default/blocked"])))));
        // A list that is not there: nobody knows whom it denies.
        await RefusedAsync(edge, 503, "access_undecided");
        edge.Put(AccessListKind.Kind, "blocked", new AccessListSpec(Clients: ["10.0.0.0/8"]));
        Assert.Equal("in", await edge.Client.GetStringAsync("/"));
        Assert.Equal("in", await edge.Client.GetStringAsync("/other/1"));
        edge.Put(AccessListKind.Kind, "blocked", new AccessListSpec(Clients: ["10.0.0.0/8", "127.0.0.0/8"]));
        await RefusedAsync(edge, 403, "access_denied");
        await RefusedAsync(edge, 403, "access_denied", "/other/1");
        edge.Put(AccessListKind.Kind, "blocked", new AccessListSpec(Clients: []));
        Assert.Equal("in", await edge.Client.GetStringAsync("/"));
        edge.Snapshots.Delete(new(AccessListKind.Name, "default", "blocked"));
        await RefusedAsync(edge, 503, "access_undecided");
    }

    [Fact]
    public async Task An_allow_list_that_mentions_nobody_allows_nobody()
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteWith(new(Allow: new(Lists: ["staff"]))).Put(AccessListKind.Kind, "staff", new AccessListSpec());
        await RefusedAsync(edge, 403, "access_denied");
        // Of users too, where nobody says who he is.
        edge.Put(AccessListKind.Kind, "staff", new AccessListSpec(Users: ["alice"]));
        await RefusedAsync(edge, 403, "access_denied");
    }

    private static async Task RefusedAsync(TestEdge edge, int status, string code, string path = "/")
    {
        using var answer = await edge.Client.GetAsync(path);
        Assert.Equal((status, code), ((int)answer.StatusCode, await answer.CodeAsync()));
    }
}

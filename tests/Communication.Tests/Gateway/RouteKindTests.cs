using Groundwork.Communication.Gateway;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Gateway;

public sealed class RouteKindTests
{
    private static readonly RouteSpec Good = new(["localhost"], "/api/**", "catalog");

    public static TheoryData<RouteSpec, string> BadSpecs => new()
    {
        { Good with { Hosts = [] }, "spec.hosts must have 1 to 64 hosts; write \"*\" to serve any" },
        { Good with { Hosts = ["localhost", "localhost"] }, "spec.hosts[1] 'localhost' stands here twice" },
        { Good with { Hosts = ["Shop.example.com"] },
            "spec.hosts[0] must be a host name in lower case, *. before one, an address, or * for any" },
        { Good with { Hosts = ["shop.*.com"] },
            "spec.hosts[0] must be a host name in lower case, *. before one, an address, or * for any" },
        {
            Good with { Hosts = [""] },
            "spec.hosts[0] must be a host name in lower case, *. before one, an address, or * for any"
        },
        { Good with { Hosts = ["localhost:8080"] },
            "spec.hosts[0] must be without port; a route serves the gateway's port" },
        { Good with { Hosts = ["::1"] }, "spec.hosts[0] must be without port; a route serves the gateway's port" },
        { Good with { Hosts = ["[0:0:0:0:0:0:0:1]"] }, "spec.hosts[0] must be written [::1]" },
        { Good with { Hosts = ["[nothing]"] }, "spec.hosts[0] is no IPv6 address in brackets" },
        { Good with { Path = "api" }, "spec.path must begin with /" },
        { Good with { Path = "/api/*" }, "spec.path may have /** at its end, and no other *" },
        { Good with { Path = "/*/api/**" }, "spec.path may have /** at its end, and no other *" },
        { Good with { Path = "/api//x" }, "spec.path must not have two / in a row" },
        { Good with { Path = "/api//**" }, "spec.path must not have two / in a row" },
        { Good with { Path = "/api/../x" }, "spec.path must be written /x" },
        { Good with { Path = "/%61pi/**" }, "spec.path must be written /api/**" },
        { Good with { Path = "/a?b" }, "spec.path is no path: it takes no ?, #, control characters or half escapes" },
        { Good with { Path = "/" + new string('a', 1024) }, "spec.path is longer than 1024 characters" },
        {
            Good with { Service = "" },
            "spec.service must be a service, such as catalog, shop/catalog or shop/blue@@catalog"
        },
        {
            Good with { Service = "a/b/c" },
            "spec.service must be a service, such as catalog, shop/catalog or shop/blue@@catalog"
        },
        { Good with { Methods = [] }, "spec.methods must have 1 to 16 methods; leave it out to serve all" },
        { Good with { Methods = ["get"] }, "spec.methods[0] must be a method in capitals, such as GET" },
        { Good with { Methods = ["CONNECT"] }, "spec.methods[0] CONNECT is never forwarded" },
        { Good with { StripPrefix = "/ap" },
            "spec.stripPrefix must be whole leading segments of the path, such as /api of /api/catalog/**" },
        { Good with { StripPrefix = "/api/" },
            "spec.stripPrefix must be whole leading segments of the path, such as /api of /api/catalog/**" },
        { Good with { Timeouts = new RouteTimeouts(ConnectMs: 0) }, "spec.timeouts.connectMs must be 10 to 30000" },
        { Good with { Timeouts = new RouteTimeouts(
            ResponseHeadMs: 9) }, "spec.timeouts.responseHeadMs must be 10 to 3600000" },
        { Good with { Timeouts = new RouteTimeouts(IdleMs: 1) }, "spec.timeouts.idleMs must be 1000 to 86400000" },
    };

    [Theory]
    [MemberData(nameof(BadSpecs))]
    public void A_bad_route_is_refused_with_its_reason(RouteSpec spec, string fault)
    {
        var faults = new List<FieldFault>();
        RouteKind.Kind.Validate!(spec, faults);
        Assert.Equal([fault], faults.Select(found => $"{found.Path} {found.Message}"));
    }

    [Theory]
    [InlineData("localhost", "/api/**", null)]
    [InlineData("*", "/**", null)]
    [InlineData("*.example.com", "/cart", "GET")]
    [InlineData("[::1]", "/a%2Fb/**", "PATCH")]
    public void A_good_route_is_taken(string host, string path, string? method)
    {
        var faults = new List<FieldFault>();
        RouteKind.Kind.Validate!(
            new RouteSpec([host], path, "eu/blue@@catalog", method is null ? null : [method]), faults);
        Assert.Empty(faults);
    }

    [Theory]
    [InlineData("localhost", "/api/**", null, true)]
    [InlineData("other,localhost", "/api/**", null, true)]
    [InlineData("localhost", "/api", null, false)]
    [InlineData("localhost", "/api/v2/**", null, false)]
    [InlineData("other", "/api/**", null, false)]
    [InlineData("*", "/api/**", null, false)]
    [InlineData("localhost", "/api/**", "GET", false)]
    [InlineData("localhost", "/items", "GET,PUT", true)]
    [InlineData("localhost", "/items", "PUT", false)]
    [InlineData("localhost", "/items", null, false)]
    public void A_route_that_wants_what_another_has_is_refused_and_the_other_named(
        string hosts, string path, string? methods, bool conflict)
    {
        var head = Snapshot.Load("store", 1,
        [
            Routes.Resource("first", Good),
            Routes.Resource("items", Good with { Path = "/items", Methods = ["GET", "POST"] }),
        ]);
        var spec = new RouteSpec(hosts.Split(','), path, "orders", methods?.Split(','));
        var faults = new List<FieldFault>();

        RouteKind.Kind.ValidateAgainst!(head, new ResourceKey(RouteKind.Name, "eu", "second"), spec, faults);

        if (!conflict) Assert.Empty(faults);
        else Assert.Contains($"is taken by the route default/{(path == "/items" ? "items" : "first")}", Assert.Single(
            faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_route_does_not_conflict_with_itself()
    {
        var first = Routes.Resource("first", Good);
        var faults = new List<FieldFault>();
        RouteKind.Kind.ValidateAgainst!(
            Snapshot.Load("store", 1, [first]), first.Key, Good with { Service = "other" }, faults);
        Assert.Empty(faults);
    }
}

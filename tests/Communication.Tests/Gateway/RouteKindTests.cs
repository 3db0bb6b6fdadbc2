using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Gateway;

public sealed class RouteKindTests
{
    private static readonly RouteSpec Good = new(new MatchSpec(["localhost"], "/api/**"), "catalog");

    public static TheoryData<RouteSpec, string> BadSpecs => new()
    {
        { Matching(m => m with { Hosts = [] }),
            "spec.match.hosts must have 1 to 64 hosts; write \"*\" to serve any" },
        { Matching(m => m with { Hosts = ["localhost", "localhost"] }),
            "spec.match.hosts[1] 'localhost' stands here twice" },
        { Matching(m => m with { Hosts = ["Shop.example.com"] }),
            "spec.match.hosts[0] must be a host name in lower case, *. before one, an address, or * for any" },
        { Matching(m => m with { Hosts = ["shop.*.com"] }),
            "spec.match.hosts[0] must be a host name in lower case, *. before one, an address, or * for any" },
        {
            Matching(m => m with { Hosts = [""] }),
            "spec.match.hosts[0] must be a host name in lower case, *. before one, an address, or * for any"
        },
        { Matching(m => m with { Hosts = ["localhost:8080"] }),
            "spec.match.hosts[0] must be without port; a route serves the gateway's port" },
        { Matching(m => m with { Hosts = ["::1"] }),
            "spec.match.hosts[0] must be without port; a route serves the gateway's port" },
        { Matching(m => m with { Hosts = ["[0:0:0:0:0:0:0:1]"] }), "spec.match.hosts[0] must be written [::1]" },
        { Matching(m => m with { Hosts = ["[nothing]"] }), "spec.match.hosts[0] is no IPv6 address in brackets" },
        { Matching(m => m with { Path = "api" }),
            "spec.match.path must begin with /, or with ~ before an expression" },
        { Matching(m => m with { Path = "/api/*" }), "spec.match.path may have /** at its end, and no other *" },
        { Matching(m => m with { Path = "/*/api/**" }), "spec.match.path may have /** at its end, and no other *" },
        { Matching(m => m with { Path = "/api//x" }), "spec.match.path must not have two / in a row" },
        { Matching(m => m with { Path = "/api//**" }), "spec.match.path must not have two / in a row" },
        { Matching(m => m with { Path = "/api/../x" }), "spec.match.path must be written /x" },
        { Matching(m => m with { Path = "/%61pi/**" }), "spec.match.path must be written /api/**" },
        { Matching(m => m with { Path = "/a?b" }),
            "spec.match.path is no path: it takes no ?, #, control characters or half escapes" },
        { Matching(m => m with { Path = "/" + new string('a', 1024) }),
            "spec.match.path is longer than 1024 characters" },
        {
            Good with { Service = "" },
            "spec.service must be a service, such as catalog, shop/catalog or shop/blue@@catalog"
        },
        {
            Good with { Service = "a/b/c" },
            "spec.service must be a service, such as catalog, shop/catalog or shop/blue@@catalog"
        },
        { Matching(m => m with { Methods = [] }),
            "spec.match.methods must have 1 to 16 methods; leave it out to serve all" },
        { Matching(m => m with { Methods = ["get"] }),
            "spec.match.methods[0] must be a method in capitals, such as GET" },
        { Matching(m => m with { Methods = ["CONNECT"] }), "spec.match.methods[0] CONNECT is never forwarded" },
        { Good with { Request = new(new PathChange("/ap")) },
            "spec.request.path.stripPrefix must be whole leading segments of the path, such as /api of "
            + "/api/catalog/**" },
        { Good with { Request = new(new PathChange("/api/")) },
            "spec.request.path.stripPrefix must be whole leading segments of the path, such as /api of "
            + "/api/catalog/**" },
        { Matching(m => m with { Path = "/a/{id}x" }),
            "spec.match.path may have {name} as a whole segment, and no other braces" },
        { Matching(m => m with { Path = "/a/{}" }),
            "spec.match.path may have {name} as a whole segment, and no other braces" },
        { Matching(m => m with { Path = "/{a}/{a}" }), "spec.match.path has {a} twice" },
        { Matching(m => m with { Path = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}" }),
            "spec.match.path has more than 8 parameters" },
        { Matching(m => m with { Path = "~" }), "spec.match.path must have 1 to 256 characters after the ~" },
        { Matching(m => m with { Path = "~/a(?=b)" }), "spec.match.path has what would need backtracking: look-around, "
            + "back references, atomic groups or conditions" },
        { Matching(m => m with { Path = "~/(a{100}){100}" }),
            "spec.match.path repeats too much: its counts, multiplied, may be 1000 together" },
        { Matching(m => m with { Headers = [] }), "spec.match.headers must have 1 to 16 conditions" },
        { Matching(m => m with { Headers = [new("a b", ["1"])] }),
            "spec.match.headers[0].name must be a token of 1 to 256 characters" },
        { Matching(m => m with { Query = [new("q")] }),
            "spec.match.query[0] must have exactly one of values, prefix, pattern and present" },
        { Matching(m => m with { Cookies = [new("c", ["1"], "2")] }),
            "spec.match.cookies[0] must have exactly one of values, prefix, pattern and present" },
        { Matching(m => m with { Query = [new("q", [])] }), "spec.match.query[0].values must have 1 to 32 values" },
        { Matching(m => m with { Clients = ["10.0.0.1/8"] }),
            "spec.match.clients[0] must be a network, such as 10.0.0.0/8, or an address" },
        { Matching(m => m with { Time = new("Mars/Olympus", ["mon"]) }),
            "spec.match.time.zone must be a place as IANA names it, such as Europe/Berlin" },
        { Matching(m => m with { Time = new("Europe/Berlin") }),
            "spec.match.time must have one of days, from, to, begins and ends" },
        { Matching(m => m with { Time = new("Europe/Berlin", From: "8:00") }),
            "spec.match.time.from must be a time of day, such as 08:30" },
        { Matching(m => m with { Time = new("Europe/Berlin", From: "08:00", To: "08:00") }),
            "spec.match.time.to must not be the same as from" },
        { Matching(m => m with { Time = new("UTC", Begins: "2026-12-01T00:00", Ends: "2026-12-01T00:00") }),
            "spec.match.time.ends must be after begins" },
        { Good with { Priority = 1_001 }, "spec.priority must be -1000 to 1000" },
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
            new RouteSpec(
                new MatchSpec([host], path, method is null ? null : [method]), "eu/blue@@catalog"), faults);
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
            Routes.Resource("items", Matching(m => m with { Path = "/items", Methods = ["GET", "POST"] })),
        ]);
        var spec = new RouteSpec(new MatchSpec(hosts.Split(','), path, methods?.Split(',')), "orders");
        var faults = new List<FieldFault>();

        RouteKind.Kind.ValidateAgainst!(head, new ResourceKey(RouteKind.Name, "eu", "second"), spec, faults);

        if (!conflict) Assert.Empty(faults);
        else Assert.Contains($"is taken by the route default/{(path == "/items" ? "items" : "first")}", Assert.Single(
            faults).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/orders/{id}", "/orders/{order}", 0, 0, null, null, true)]
    [InlineData("/orders/{id}", "/orders/{id}/x", 0, 0, null, null, false)]
    [InlineData("/a", "/a", 0, 1, null, null, false)]
    [InlineData("/a", "/a", 0, 0, "x", "x", true)]
    [InlineData("/a", "/a", 0, 0, "x", "X", true)]
    [InlineData("/a", "/a", 0, 0, "x", "y", false)]
    [InlineData("/a", "/a", 0, 0, "x", null, false)]
    [InlineData("~/a+", "~/a+", 0, 0, null, null, true)]
    public void Routes_conflict_that_the_table_could_not_put_in_order(
        string one, string other, int priority, int otherPriority, string? header, string? otherHeader, bool conflict)
    {
        var faults = new List<FieldFault>();
        RouteKind.Kind.ValidateAgainst!(
            Snapshot.Load("store", 1, [Routes.Resource("first", Spec(one, priority, header))]),
            new ResourceKey(RouteKind.Name, "eu", "second"), Spec(other, otherPriority, otherHeader), faults);
        Assert.Equal(conflict, faults.Count > 0);

        static RouteSpec Spec(string path, int priority, string? header) => new(
            new MatchSpec(["localhost"], path, Headers: header is null ? null : [new(header, ["1"])]), "service",
            priority);
    }

    [Theory]
    [InlineData("/a", 64, "localhost /a has 64 routes already, which is the limit")]
    [InlineData("~/a", 32, "localhost has 32 routes with expressions already, which is the limit")]
    public void Routes_that_are_gone_through_one_by_one_are_bounded(string path, int limit, string fault)
    {
        var head = Snapshot.Load("store", 1, Enumerable.Range(0, limit).Select(at => Routes.Resource(
            $"r{at}", Matching(m => m with { Path = path, Headers = [new($"x{at}", Present: true)] }))));
        var faults = new List<FieldFault>();
        RouteKind.Kind.ValidateAgainst!(head, new ResourceKey(RouteKind.Name, "eu", "more"), Matching(
            m => m with { Path = path }), faults);
        Assert.Equal(fault, Assert.Single(faults).Message);
    }

    [Theory]
    [InlineData("""{"hosts":["localhost"],"path":"/api/**","service":"catalog"}""")]
    [InlineData("""
        {"hosts":["a.example","*"],"path":"/api/x/**","service":"s","methods":["GET"],"stripPrefix":"/api",
         "timeouts":{"connectMs":100},"exposeRevision":true}
        """)]
    [InlineData("""{"hosts":["*"],"path":"/","service":"s","methods":null,"stripPrefix":null,"timeouts":null}""")]
    public void A_route_of_the_first_version_is_what_it_was(string old)
    {
        using var before = JsonDocument.Parse(old);
        Assert.Equal(1, RouteKind.Kind.VersionOf!(before.RootElement));

        var resource = Routes.Resource("old", Encoding.UTF8.GetBytes(old), version: 1);
        var spec = resource.As<RouteSpec>();

        var root = before.RootElement;
        Assert.Equal(root.GetProperty("hosts").EnumerateArray().Select(host => host.GetString()!), spec.Match.Hosts);
        Assert.Equal(root.GetProperty("path").GetString(), spec.Match.Path);
        Assert.Equal(root.GetProperty("service").GetString(), spec.Service);
        Assert.Equal(Text(root, "stripPrefix"), spec.Request?.Path?.StripPrefix);
        Assert.Equal(root.TryGetProperty("methods", out var methods) && methods.ValueKind != JsonValueKind.Null,
            spec.Match.Methods is not null);
        Assert.Equal(Text(root, "timeouts") is null ? null : 100, spec.Timeouts?.ConnectMs);
        Assert.Equal(Text(root, "exposeRevision") is not null, spec.ExposeRevision);
        var faults = new List<FieldFault>();
        RouteKind.Kind.Validate!(spec, faults);
        Assert.Empty(faults);
        Assert.True(Route.TryCompile(resource, StepCompiler.Empty, out _, out var reason), reason);

        static string? Text(JsonElement of, string name) =>
            of.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : null;
    }

    [Theory]
    [InlineData("""{"match":{"hosts":["*"],"path":"/"},"service":"s"}""")]
    [InlineData("""{"service":"s"}""")]
    public void What_is_not_of_the_first_version_is_of_this_one(string spec)
    {
        using var document = JsonDocument.Parse(spec);
        Assert.Equal(2, RouteKind.Kind.VersionOf!(document.RootElement));
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

    private static RouteSpec Matching(Func<MatchSpec, MatchSpec> change) =>
        Good with { Match = change(Good.Match) };
}

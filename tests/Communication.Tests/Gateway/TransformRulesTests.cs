using System.Collections.Immutable;
using Groundwork.Communication.Gateway;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>What is wrong with targets and changes is told at its field.</summary>
public sealed class TransformRulesTests
{
    private static readonly RouteSpec Good = new(new MatchSpec(["localhost"], "/orders/{id}"), "catalog");
    private static readonly RouteSpec Empty = Good with { Service = null };
    private static readonly SplitPart Part = new(1, "catalog");

    public static TheoryData<RouteSpec, string> BadSpecs => new()
    {
        { Empty, "spec must have exactly one of service, upstream, split, redirect, respond, files and compose" },
        { Good with { Upstream = "up" },
            "spec must have exactly one of service, upstream, split, redirect, respond, files and compose" },
        { Good with { Respond = new() },
            "spec must have exactly one of service, upstream, split, redirect, respond, files and compose" },
        { Empty with { Upstream = "a/b/c" }, "spec.upstream must be an upstream, such as legacy or shop/legacy" },
        { Empty with { Split = new([]) }, "spec.split.parts must have 1 to 16 targets" },
        { Empty with { Split = new([Part with { Weight = 0 }]) },
            "spec.split.parts must have one with a weight above 0" },
        { Empty with { Split = new([Part with { Weight = -1 }, Part]) },
            "spec.split.parts[0].weight must be 0 to 10000" },
        { Empty with { Split = new([Part with { Upstream = "a" }]) },
            "spec.split.parts[0] must have exactly one of service and upstream" },
        { Empty with { Split = new([Part], "user") },
            "spec.split.by must be client, header:NAME, cookie:NAME, query:NAME or path:NAME" },
        { Empty with { Split = new([Part], "path:order") },
            "spec.split.by names order, which the route's path does not capture" },
        { Good with { Canary = [new("catalog")] }, "spec.canary[0] must have one of headers, cookies and percent" },
        { Good with { Canary = [new("catalog", Percent: 101)] }, "spec.canary[0].percent must be 0 to 100" },
        { Good with { Canary = [new("catalog", Headers: [new("x", Present: true)], By: "client")] },
            "spec.canary[0].by has no use without percent" },
        { Good with { Canary = [new("catalog", Headers: [new("x")])] },
            "spec.canary[0].headers[0] must have exactly one of values, prefix, pattern and present" },
        { Empty with { Redirect = new("/a"), Canary = [new("catalog", Percent: 1)] },
            "spec.canary has no use where the gateway answers itself" },
        { Change(path: new(AddPrefix: "v2")),
            "spec.request.path.addPrefix must be a path that does not end in /, such as /v2" },
        { Change(path: new(Template: "/v2/{order}")),
            "spec.request.path.template has {order}, which the route's path does not capture" },
        { Change(path: new(Template: "/v2/{rest}")),
            "spec.request.path.template has {rest}, which the route's path does not capture" },
        { Change(path: new(Template: "/v2?a=b")),
            "spec.request.path.template must be a path, such as /v2/orders/{id}" },
        { Change(path: new("/orders", Template: "/v2")),
            "spec.request.path.template is the whole path; without stripPrefix and addPrefix" },
        { Good with { Request = new(Host: "a b") },
            "spec.request.host must be {host}, or a host in lower case, with a port or not" },
        { Good with { Request = new(Host: "{path}") },
            "spec.request.host must be {host}, or a host in lower case, with a port or not" },
        { Change(query: new(Set: Map("a", "{order}"))),
            "spec.request.query.set.a has {order}, which the route's path does not capture" },
        { Change(fields: new(Set: Map("Host", "a"))), "spec.request.headers.set.Host Host is the gateway's to write" },
        { Change(fields: new(Remove: ["X-Forwarded-For"])),
            "spec.request.headers.remove[0] X-Forwarded-For is the gateway's to write" },
        { Change(fields: new(Rename: Map("X-A", "Content-Length"))),
            "spec.request.headers.rename.X-A Content-Length is the gateway's to write" },
        { Change(fields: new(Add: Map("X-A", "a\r\nX-B: b"))),
            "spec.request.headers.add.X-A must be ASCII without control characters" },
        { Change(fields: new(Add: Map("X A", "a"))),
            "spec.request.headers.add.X A must be named by a token of 1 to 256 characters" },
        { Good with { Response = new(new(Set: Map("Transfer-Encoding", "chunked"))) },
            "spec.response.headers.set.Transfer-Encoding Transfer-Encoding is the gateway's to write" },
        { Empty with { Redirect = new("//evil.example") },
            "spec.redirect.to must begin with https://, http:// or one /" },
        { Empty with { Redirect = new("javascript:alert(1)") },
            "spec.redirect.to must begin with https://, http:// or one /" },
        { Empty with { Redirect = new("/a", 200) }, "spec.redirect.status must be 301, 302, 303, 307 or 308" },
        { Empty with { Respond = new(100) }, "spec.respond.status must be 200 to 599" },
        { Empty with { Respond = new(204, "x") }, "spec.respond.body an answer with status 204 has none" },
    };

    [Theory]
    [MemberData(nameof(BadSpecs))]
    public void A_bad_route_is_refused_with_its_reason(RouteSpec spec, string fault)
    {
        var faults = new List<FieldFault>();
        RouteKind.Kind.Validate!(spec, faults);
        Assert.Equal([fault], faults.Select(found => $"{found.Path} {found.Message}"));
    }

    private static RouteSpec Change(PathChange? path = null, QueryChange? query = null, FieldChange? fields = null) =>
        Good with { Request = new RequestChange(path, query, fields) };

    private static ImmutableDictionary<string, string> Map(string name, string value) =>
        ImmutableDictionary<string, string>.Empty.Add(name, value);
}

using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>A service that is asked whether a request may pass.</summary>
public sealed class AskingTests
{
    [Fact]
    public async Task Who_is_asked_sees_the_request_and_names_the_user_whom_nobody_else_can_name()
    {
        var seen = "";
        await using var verifier = await WebInstance.StartAsync(context =>
        {
            var fields = context.Request.Headers;
            seen = $"{context.Request.Method} {context.Request.Path} {fields["X-Forwarded-Method"]} "
                + $"{fields["X-Forwarded-Host"]} {fields["X-Forwarded-Uri"]} {fields["X-Forwarded-For"]} "
                + $"{fields.Cookie} {fields["X-Other"]}|";
            context.Response.Headers["X-User"] = fields.Cookie.ToString().Split('=')[^1];
            context.Response.Headers["X-Hidden"] = "1";
            return Task.CompletedTask;
        });
        await using var instance = await WebInstance.StartAsync(context =>
        {
            var fields = context.Request.Headers;
            return context.Response.WriteAsync(
                $"{fields["X-User"]}|{fields["X-Plan"]}|{fields["X-Hidden"]}|{fields["Groundwork-User"]}");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address);
        edge.Registry.Set("verifier", (verifier.Address.Address.ToString(), verifier.Address.Port, 100));
        var ask = new AskSpec(Service: "verifier", Path: "/verify", ServiceHeaders: ["X-Plan"], UserHeader: "X-User");
        edge.RouteWith(new(Ask: ask));
        using var answer = await edge.SendAsync(
            null, ("Cookie", "session=carol"), ("X-User", "root"), ("X-Plan", "gold"), ("X-Other", "o"));
        Assert.Equal("carol|||carol", await answer.Content.ReadAsStringAsync());
        Assert.Equal($"GET /verify GET {edge.Address} / 127.0.0.1 session=carol |", seen);
        edge.RouteWith(new(Allow: new(Users: ["carol"]), Ask: ask));
        using var allowed = await edge.SendAsync(null, ("Cookie", "session=carol"));
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        using var denied = await edge.SendAsync(null, ("Cookie", "session=mallory"));
        Assert.Equal(HttpStatusCode.Forbidden, denied.StatusCode);
    }

    [Fact]
    public async Task A_refusal_goes_to_the_client_with_the_fields_that_it_may_see()
    {
        await using var instance = await WebInstance.NamedAsync("in");
        await using var verifier = await WebInstance.StartAsync(context =>
        {
            context.Response.StatusCode = int.Parse(context.Request.Headers["X-Want"]!, null); // The test sends it.
            context.Response.Headers.Location = "https://login.example.com/";
            context.Response.Headers["X-Inner"] = "1";
            return context.Response.WriteAsync("log in");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(new(
            Ask: new($"http://{verifier.Address}/verify", RequestHeaders: ["x-want"], ClientHeaders: ["location"])));
        foreach (var status in (int[])[401, 403, 302, 307])
        {
            using var answer = await edge.SendAsync(null, ("X-Want", $"{status}"));
            Assert.Equal((status, "log in"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()));
            Assert.Equal("https://login.example.com/", answer.Headers.Location!.ToString()); // It is passed on.
            Assert.False(answer.Headers.Contains("X-Inner"));
            Assert.Equal(status == 401, answer.Headers.WwwAuthenticate.Count > 0);
        }
        foreach (var status in (int[])[404, 500, 503, 429])
        {
            using var answer = await edge.SendAsync(null, ("X-Want", $"{status}"));
            Assert.Equal(("access_undecided", HttpStatusCode.ServiceUnavailable),
                (await answer.CodeAsync(), answer.StatusCode));
        }
        Assert.Equal(0, instance.Requests);
        using var passed = await edge.SendAsync(null, ("X-Want", "200"));
        Assert.Equal("in", await passed.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Nobody_passes_while_nobody_answers()
    {
        await using var instance = await WebInstance.NamedAsync("in");
        await using var silent = RawInstance.Silent();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address);
        foreach (var ask in (AskSpec[])
            [
                new($"http://{silent.Address}/", TimeoutMs: 50), new($"http://{RawInstance.Refusing()}/"),
                new(Service: "nobody"), new("http://name.invalid/"), new($"http://{edge.Address}/"),
                new("http://169.254.169.254/"),
            ])
        {
            edge.RouteWith(new(Ask: ask));
            using var answer = await edge.SendAsync(null);
            Assert.Equal("access_undecided", await answer.CodeAsync());
        }
        Assert.Equal(0, instance.Requests);
    }

    [Fact]
    public void What_an_access_must_be_is_said_where_it_is_written()
    {
        Assert.Empty(Faults(new(Ask: new("https://verify.example.com/"))));
        foreach (var (access, path) in ((AccessSpec, string)[])
            [
                (new(), ""), (new(Require: "some", Ask: new(Service: "v")), ".require"), (new(Ask: new()), ".ask"),
                (new(Ask: new("ftp://x/")), ".ask.address"), (new(Ask: new(Service: "v", Path: "//x")), ".ask.path"),
                (new(Ask: new(Service: "v", ServiceHeaders: ["Groundwork-User"])), ".ask.serviceHeaders[0]"),
                (new(Certificate: new()), ".certificate"),
                (new(Certificate: new(Fingerprints: ["ab"])), ".certificate.fingerprints[0]"),
                (new(AccessKey: new([])), ".accessKey.roles"), (new(Token: new([])), ".token.issuers"),
                (new(Token: new(["a/b/c"])), ".token.issuers[0]"), (new(Deny: new()), ".deny"),
                (new(Deny: new(Clients: ["10.1.2.3/8"])), ".deny.clients[0]"),
                (new(Signature: new(WindowSeconds: 301)), ".signature.windowSeconds"),
            ])
            Assert.Contains($"spec.access{path}", Faults(access));

        static List<string> Faults(AccessSpec access)
        {
            var faults = new List<Wire.FieldFault>();
            RouteKind.Kind.Validate!( // The kind has rules.
                new RouteSpec(new MatchSpec(["*"], "/**"), "service", Access: access), faults);
            return [.. faults.Select(fault => fault.Path)];
        }
    }
}

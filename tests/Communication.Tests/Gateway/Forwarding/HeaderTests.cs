using System.Net;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Forwarding;

public sealed class HeaderTests
{
    [Fact]
    public async Task An_untrusted_peer_cannot_say_who_the_client_is()
    {
        var seen = await SeenAsync(
            "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: "
            + "bank.example\r\nX-Forwarded-Port: 443\r\n"
            + "X-Forwarded-Prefix: /evil\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nX_Forwarded_For: "
            + "1.2.3.4\r\n"
            + "Groundwork-Caller: default/bank/1\r\n");

        Assert.Equal("127.0.0.1", seen["X-Forwarded-For"]);
        Assert.Equal("http", seen["X-Forwarded-Proto"]);
        Assert.Equal("localhost", seen["X-Forwarded-Host"]);
        foreach (var name in new[] { "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded", "X-Real-IP",
            "X_Forwarded_For", "Groundwork-Caller" })
            Assert.DoesNotContain(name, seen.Keys);
    }

    [Fact]
    public async Task A_trusted_proxy_is_believed_and_added_to()
    {
        var seen = await SeenAsync(
            "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\nForwarded: "
            + "for=1.2.3.4\r\n",
            new GatewayOptions { TrustedProxies = [IPNetwork.Parse("127.0.0.0/8")] });

        Assert.Equal("1.2.3.4, 127.0.0.1", seen["X-Forwarded-For"]);
        Assert.Equal("https", seen["X-Forwarded-Proto"]);
        Assert.Equal("shop.example", seen["X-Forwarded-Host"]);
        Assert.DoesNotContain("Forwarded", seen.Keys);
    }

    [Fact]
    public async Task Headers_of_one_connection_are_not_passed_on()
    {
        var seen = await SeenAsync(
            "Connection: X-Mine, X-Forwarded-For\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: "
            + "keep-alive\r\n"
            + "Proxy-Authorization: Basic eA==\r\nTE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nX-Kept: 2\r\n");

        foreach (var name in new[] { "X-Mine", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Upgrade",
            "HTTP2-Settings" })
            Assert.DoesNotContain(name, seen.Keys);
        Assert.Equal("2", seen["X-Kept"]);
        // Named in Connection by the client, and ours all the same.
        Assert.Equal("127.0.0.1", seen["X-Forwarded-For"]);
    }

    [Fact]
    public async Task Headers_of_the_client_arrive_as_they_are()
    {
        var seen = await SeenAsync("Accept-Language: de\r\nCookie: a=1; b=2\r\nAuthorization: Bearer x\r\nX-Two: "
            + "1\r\nX-Two: 2\r\nX-Byte: caf\u00c3\u00a9\r\n");

        Assert.Equal("de", seen["Accept-Language"]);
        Assert.Equal("a=1; b=2", seen["Cookie"]);
        Assert.Equal("Bearer x", seen["Authorization"]);
        Assert.Equal("1,2", seen["X-Two"]); // Two fields stay two; the instance joins them.
        Assert.Equal("café", seen["X-Byte"]); // The bytes of UTF-8 have passed; the instance reads them.
        Assert.Equal("1.1 groundwork", seen["Via"]);
    }

    [Fact]
    public async Task The_instance_gets_its_own_host_and_the_rest_of_the_path()
    {
        await using var instance = await WebInstance.StartAsync(context =>
            context.Response.WriteAsync($"{context.Request.Host} {context.Request.Path}{context.Request.QueryString} "
                + $"{context.Request.Headers["X-Forwarded-Prefix"]}"));
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with
        {
            Match = spec.Match with { Path = "/api/catalog/**" },
            Request = new RequestChange(new PathChange("/api")),
        }).Instances(instance.Address);

        Assert.Equal(
            $"{instance.Address} /catalog/7?q=a%20b /api", await edge.Client.GetStringAsync("/api/catalog/7?q=a%20b"));
        Assert.Equal($"{instance.Address} /catalog /api", await edge.Client.GetStringAsync("/api/catalog"));
    }

    [Theory]
    [InlineData(null, "INSTANCE")]
    [InlineData("{host}", "localhost")]
    [InlineData("inner.example:81", "inner.example:81")]
    public async Task The_instance_gets_the_host_that_the_route_says(string? host, string expected)
    {
        await using var instance = await WebInstance.StartAsync(context =>
            context.Response.WriteAsync($"{context.Request.Host} {context.Request.Headers["X-Forwarded-Host"]}"));
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Request = new RequestChange(Host: host) }).Instances(instance.Address);
        expected = expected.Replace("INSTANCE", instance.Address.ToString(), StringComparison.Ordinal);
        foreach (var (form, named) in new[] { ("LocalHost:8080", "LocalHost:8080"), ("localhost", "localhost") })
            Assert.EndsWith($"\r\n{expected} {named}\r\n0\r\n\r\n", await RawAsync(
                edge, $"GET / HTTP/1.1\r\nHost: {form}\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_arrives_in_the_form_that_was_matched()
    {
        await using var instance = RawInstance.Start(async connection =>
        {
            var line = (await connection.ReadHeadAsync()).Split("\r\n")[0];
            await connection.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {line.Length}\r\n\r\n{line}");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);

        Assert.EndsWith("GET /b/%C3%A9%2Fx//y;v=1?q=%41/../%2e HTTP/1.1", await RawAsync(
            edge, "GET /a/../%62/%c3%a9%2fx//y;v=1?q=%41/../%2e HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        Assert.StartsWith(
            "HTTP/1.1 400 ", await RawAsync(edge, "GET /a/..;/admin HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }

    [Fact]
    public async Task A_trace_is_passed_on_when_well_formed_and_begun_otherwise()
    {
        const string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        var seen = await SeenAsync($"traceparent: {parent}\r\ntracestate: a=1\r\n");
        Assert.Matches("^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$", seen["traceparent"]);
        Assert.NotEqual(parent, seen["traceparent"]); // The gateway is a span of its own.
        Assert.Equal("a=1", seen["tracestate"]);

        seen = await SeenAsync("traceparent: 00-zz-00f067aa0ba902b7-01\r\ntracestate: a=1\r\n");
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-00$", seen["traceparent"]);
        Assert.DoesNotContain("tracestate", seen.Keys);
    }

    [Fact]
    public async Task A_problem_carries_the_trace_of_the_request()
    {
        await using var edge = await TestEdge.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        using var response = await edge.Client.SendAsync(request);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal("4bf92f3577b34da6a3ce929d0e0e4736", problem.RootElement.GetProperty("traceId").GetString());
    }

    [Fact]
    public async Task A_loop_ends_after_ten_gateways()
    {
        var via = string.Join(", ", Enumerable.Repeat("1.1 groundwork", 10));
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll();
        Assert.StartsWith(
            "HTTP/1.1 508 ", await RawAsync(edge, $"GET / HTTP/1.1\r\nHost: localhost\r\nVia: {via}\r\n\r\n"));
    }

    [Fact]
    public async Task Headers_of_the_answer_are_passed_but_for_those_of_its_connection()
    {
        await using var instance = RawInstance.Answering(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: "
            + "timeout=5\r\nProxy-Authenticate: Basic\r\n"
            + "Alt-Svc: h3=\":443\"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nGroundwork-Revision: 999\r\nX-Byte: "
            + "caf\u00e9\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\n\r\nok");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);

        var answer = await RawAsync(edge, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

        Assert.Contains("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n", answer);
        Assert.Contains("X-Byte: caf\u00e9\r\n", answer);
        Assert.Contains("Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n", answer);
        foreach (var name in new[] { "X-Mine", "Keep-Alive", "Proxy-Authenticate", "Alt-Svc", "Groundwork-Revision" })
            Assert.DoesNotContain(name + ":", answer);
        Assert.EndsWith("\r\n\r\nok", answer);
    }

    [Fact]
    public async Task The_revision_is_told_where_the_route_or_a_trusted_peer_asks()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var plain = await TestEdge.StartAsync();
        await using var trusting = await TestEdge.StartAsync(
            new GatewayOptions { TrustedProxies = [IPNetwork.Parse("127.0.0.1/32")] });
        const string asking = "GET / HTTP/1.1\r\nHost: localhost\r\nGroundwork-Revision: ?\r\n\r\n";

        plain.RouteAll().Instances(instance.Address);
        Assert.DoesNotContain("Groundwork-Revision", await RawAsync(plain, asking));
        plain.RouteAll(spec => spec with { ExposeRevision = true });
        Assert.Contains($"Groundwork-Revision: {plain.Snapshots.Current.Revision}\r\n", await RawAsync(plain, asking));

        trusting.RouteAll().Instances(instance.Address);
        Assert.Contains(
            $"Groundwork-Revision: {trusting.Snapshots.Current.Revision}\r\n", await RawAsync(trusting, asking));
    }

    private static async Task<Dictionary<string, string>> SeenAsync(string headers, GatewayOptions? options = null)
    {
        await using var instance = await WebInstance.StartAsync(context => context.Response.WriteAsync(
            JsonSerializer.Serialize(
                context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString()))));
        await using var edge = await TestEdge.StartAsync(options);
        edge.RouteAll().Instances(instance.Address);
        var answer = await RawAsync(edge, $"GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", answer);
        var json = answer[answer.IndexOf('{')..(answer.LastIndexOf('}') + 1)];
        return new(JsonSerializer.Deserialize<Dictionary<string, string>>(json)!, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Sends the bytes, then <c>Connection: close</c> by ending our side, and reads all that comes.</summary>
    private static async Task<string> RawAsync(TestEdge edge, string request)
    {
        using var connection = await RawConnection.ToAsync(edge.Address);
        await connection.WriteAsync(request);
        return await connection.ReadAnswerAsync();
    }
}

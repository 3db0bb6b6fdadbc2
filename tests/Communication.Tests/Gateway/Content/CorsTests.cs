using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Content;

/// <summary>Which pages of other origins may call a route, as a browser learns it.</summary>
public sealed class CorsTests
{
    private static readonly CorsSpec Shop = new(
        ["https://shop.example.com", "https://*.shop.example.com", "http://localhost:3000"],
        ["GET", "PUT"], ["X-Token"], ["X-Count"], Credentials: true, MaxAgeSeconds: 60);

    [Fact]
    public async Task The_gateway_answers_what_a_browser_asks_first_and_the_service_never_sees_it()
    {
        await using var instance = await WebInstance.NamedAsync("service");
        await using var edge = await StartAsync(Shop, instance, ["GET", "PUT"]);

        using var answer = await AskAsync(edge, "https://shop.example.com", "PUT");

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal("https://shop.example.com", One(answer, "Access-Control-Allow-Origin"));
        Assert.Equal("true", One(answer, "Access-Control-Allow-Credentials"));
        Assert.Equal("GET, PUT", One(answer, "Access-Control-Allow-Methods"));
        Assert.Equal("X-Token", One(answer, "Access-Control-Allow-Headers"));
        Assert.Equal("60", One(answer, "Access-Control-Max-Age"));
        Assert.Equal("Origin", One(answer, "Vary"));
        Assert.Equal(0, instance.Requests);

        // A plain OPTIONS is no such question, and the route does not take the method.
        using var plain = await edge.Client.SendAsync(new HttpRequestMessage(HttpMethod.Options, "/"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, plain.StatusCode);
    }

    [Theory]
    [InlineData("https://shop.example.com", true)]
    [InlineData("https://a.shop.example.com", true)]
    [InlineData("https://a.b.shop.example.com", true)]
    [InlineData("http://localhost:3000", true)]
    [InlineData("http://shop.example.com", false)]
    [InlineData("https://shop.example.com:8443", false)]
    [InlineData("https://evil-shop.example.com", false)]
    [InlineData("https://.shop.example.com", false)]
    [InlineData("https://evil.example/.shop.example.com", false)]
    [InlineData("https://a:1@b.shop.example.com", false)]
    [InlineData("https://shop.example.com.evil.example", false)]
    [InlineData("null", false)]
    public async Task Only_listed_origins_are_allowed(string origin, bool allowed)
    {
        await using var instance = await WebInstance.NamedAsync("service");
        await using var edge = await StartAsync(Shop, instance);

        using var asked = await AskAsync(edge, origin, "GET");
        using var got = await GetAsync(edge, origin);

        Assert.Equal(allowed ? HttpStatusCode.NoContent : HttpStatusCode.Forbidden, asked.StatusCode);
        Assert.Equal(allowed ? origin : null, One(asked, "Access-Control-Allow-Origin"));
        Assert.Equal(allowed ? origin : null, One(got, "Access-Control-Allow-Origin"));
        Assert.Equal(allowed ? "X-Count" : null, One(got, "Access-Control-Expose-Headers"));
        Assert.Equal("Origin", One(got, "Vary"));
        Assert.Equal("service", await got.Content.ReadAsStringAsync()); // For what is no browser.
    }

    [Fact]
    public async Task What_the_service_says_about_origins_is_not_passed_on()
    {
        await using var instance = await WebInstance.StartAsync(context =>
        {
            context.Response.Headers.AccessControlAllowOrigin = "*";
            context.Response.Headers.AccessControlAllowCredentials = "true";
            return context.Response.WriteAsync("service");
        });
        await using var edge = await StartAsync(Shop, instance);
        using var stranger = await GetAsync(edge, "https://evil.example");
        using var known = await GetAsync(edge, "https://shop.example.com");
        Assert.Null(One(stranger, "Access-Control-Allow-Origin"));
        Assert.Null(One(stranger, "Access-Control-Allow-Credentials"));
        Assert.Equal("https://shop.example.com", One(known, "Access-Control-Allow-Origin"));
        Assert.Equal("true", One(known, "Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task Refusals_of_the_gateway_can_be_read_by_the_page_too()
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Cors = Shop });
        using var answer = await GetAsync(edge, "https://shop.example.com");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("https://shop.example.com", One(answer, "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_route_that_is_open_to_all_says_so_to_all_alike()
    {
        await using var instance = await WebInstance.NamedAsync("service");
        await using var edge = await StartAsync(
            new CorsSpec(["https://anybody.example", "*"], Headers: ["*"]), instance);
        using var got = await GetAsync(edge, "https://anybody.example");
        Assert.Equal("*", One(got, "Access-Control-Allow-Origin"));
        Assert.Null(One(got, "Vary"));
        using var asked = await AskAsync(edge, "https://anybody.example", "DELETE", "authorization,x-a");
        Assert.Equal("authorization,x-a", One(asked, "Access-Control-Allow-Headers"));
    }

    [Theory]
    [InlineData("*", true, "spec.cors.origins[0] must not be * with credentials: any page could act as its visitor")]
    [InlineData("null", true, "spec.cors.origins[0] must not be null with credentials: any page can be of that origin")]
    [InlineData("https://Shop.example.com", false, "spec.cors.origins[0] must be an origin in lower case, such as "
        + "https://shop.example.com or https://*.example.com")]
    [InlineData("https://shop.example.com/", false, "spec.cors.origins[0] must be an origin in lower case, such as "
        + "https://shop.example.com or https://*.example.com")]
    [InlineData("https://*", false, "spec.cors.origins[0] must be an origin in lower case, such as "
        + "https://shop.example.com or https://*.example.com")]
    public void What_would_let_anybody_in_is_refused(string origin, bool credentials, string fault)
    {
        Assert.Equal(fault, Fault(new CorsSpec([origin], Credentials: credentials)));
        Assert.Null(Fault(new CorsSpec(["https://shop.example.com"], Credentials: credentials)));
    }

    [Fact]
    public void All_fields_may_not_be_exposed_with_credentials()
    {
        var spec = new CorsSpec(["https://shop.example.com"], Exposed: ["*"]);
        Assert.Null(Fault(spec));
        Assert.Equal(
            "spec.cors.exposed[0] must be written out instead of *", Fault(spec with { Credentials = true }));
    }

    private static string? Fault(CorsSpec cors) =>
        SpecFaults.Of(new RouteSpec(new MatchSpec(["localhost"], "/**"), "catalog", Cors: cors));

    private static async Task<TestEdge> StartAsync(
        CorsSpec cors, WebInstance instance, IReadOnlyList<string>? methods = null)
    {
        var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Match = spec.Match with { Methods = methods }, Cors = cors })
            .Instances(instance.Address);
        return edge;
    }

    private static async Task<HttpResponseMessage> AskAsync(
        TestEdge edge, string origin, string method, string headers = "x-token")
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/");
        request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", method);
        request.Headers.Add("Access-Control-Request-Headers", headers);
        return await edge.Client.SendAsync(request);
    }

    private static async Task<HttpResponseMessage> GetAsync(TestEdge edge, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.TryAddWithoutValidation("Origin", origin);
        return await edge.Client.SendAsync(request);
    }

    // Of one field there must be one; of Vary the first says enough here.
    private static string? One(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join("|", values) : null;
}

/// <summary>What is wrong with a route.</summary>
internal static class SpecFaults
{
    /// <summary>The first fault as one text; null when there is none.</summary>
    public static string? Of(RouteSpec spec)
    {
        var faults = new List<FieldFault>();
        RouteKind.Kind.Validate!(spec, faults);
        return faults.Count == 0 ? null : $"{faults[0].Path} {faults[0].Message}";
    }
}

using System.Net;
using Groundwork.Communication.Gateway;

namespace Groundwork.Communication.Tests.Gateway.Content;

/// <summary>Whose pages may show what a route gives.</summary>
public sealed class RefererTests
{
    [Theory]
    [InlineData("https://shop.example.com/page?x=1", true)]
    [InlineData("https://SHOP.example.com:8443/", true)]
    [InlineData("https://a.cdn.example.com", true)]
    [InlineData("http://127.0.0.1/", true)]
    [InlineData("https://cdn.example.com/", false)]
    [InlineData("https://evilcdn.example.com/", false)]
    [InlineData("https://shop.example.com.evil.example/", false)]
    [InlineData("https://evil.example/https://shop.example.com/", false)]
    [InlineData("https://evil.example#shop.example.com", false)]
    [InlineData("https://shop.example.com@evil.example/", false)]
    [InlineData("shop.example.com", false)]
    [InlineData("null", false)]
    public async Task Only_pages_of_listed_hosts_and_of_our_own_may(string referer, bool allowed)
    {
        await using var instance = await WebInstance.NamedAsync("picture");
        await using var edge = await StartAsync(instance, allowEmpty: true);
        Assert.Equal(allowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden, await GetAsync(edge, referer));
        Assert.Equal(allowed ? 1 : 0, instance.Requests);
    }

    [Theory]
    [InlineData(true, HttpStatusCode.OK)]
    [InlineData(false, HttpStatusCode.Forbidden)]
    public async Task Who_says_nothing_may_where_the_route_says_so(bool allowEmpty, HttpStatusCode status)
    {
        await using var instance = await WebInstance.NamedAsync("picture");
        await using var edge = await StartAsync(instance, allowEmpty);
        Assert.Equal(status, await GetAsync(edge, null));
    }

    [Theory]
    [InlineData("*", "spec.referers.hosts[0] must be a host in lower case, or *. before one")]
    [InlineData("https://a.example", "spec.referers.hosts[0] must be a host in lower case, or *. before one")]
    [InlineData("*.a.example", null)]
    public void Hosts_are_checked(string host, string? fault) => Assert.Equal(fault, SpecFaults.Of(new RouteSpec(
        new MatchSpec(["localhost"], "/**"), "catalog", Referers: new RefererSpec([host]))));

    private static async Task<TestEdge> StartAsync(WebInstance instance, bool allowEmpty)
    {
        var edge = await TestEdge.StartAsync();
        var spec = new RefererSpec(["shop.example.com", "*.cdn.example.com"], allowEmpty);
        edge.RouteAll(route => route with { Referers = spec }).Instances(instance.Address);
        return edge;
    }

    private static async Task<HttpStatusCode> GetAsync(TestEdge edge, string? referer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/picture.jpg");
        if (referer is not null) request.Headers.TryAddWithoutValidation("Referer", referer);
        using var answer = await edge.Client.SendAsync(request);
        return answer.StatusCode;
    }
}

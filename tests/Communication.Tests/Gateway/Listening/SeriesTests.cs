using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Listening;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Listening;

/// <summary>
/// An access gateway, which ends TLS and believes nobody, before a business gateway, which believes the first alone.
/// </summary>
public sealed class SeriesTests
{
    [Fact]
    public async Task Two_gateways_in_series_tell_the_service_who_called_and_how()
    {
        using var authority = new TestAuthority();
        await using var service = await WebInstance.StartAsync(context =>
        {
            var seen = context.Request.Headers;
            return context.Response.WriteAsync(
                $"{seen["X-Forwarded-For"]}|{seen["X-Forwarded-Proto"]}|{seen["X-Forwarded-Host"]}|{seen["X-Real-IP"]}|"
                + $"{seen.Via}");
        });
        await using var business = await TestEdge.StartAsync();
        business.RouteAll(spec => spec with { Match = spec.Match with { Hosts = ["*"] } }).Instances(service.Address);
        business.Snapshots.Put(authority.Certificate("inner", "business.test"));
        business.Snapshots.Put(authority.AsResource("inside"));
        business.Snapshots.Put(ListenerTests.Listener("https", new(
            new ListenerTlsSpec(ClientCertificates: new ClientCertificatesSpec(["inside"])),
            Caller: new CallerSpec(["127.0.0.1"], Hops: 1, Tell: ["x-real-ip"]))));
        await using var access = await TestEdge.StartAsync();
        access.RouteAll(spec => spec with
        {
            Match = spec.Match with { Hosts = ["shop.test"] }, Service = null, Upstream = "business",
        });
        access.Snapshots.Put(authority.Certificate("shop", "shop.test"));
        access.Snapshots.Put(authority.AsResource("inside"));
        access.Snapshots.Put(ListenerTests.Listener("https", new(
            new ListenerTlsSpec(Certificates: ["shop"]), new ListenerBoundsSpec(BodyBytes: 10))));
        access.Snapshots.Put(TestUpstreams.Resource("business", new UpstreamSpec(
            Addresses: [new UpstreamAddress(business.SecureAddress.ToString())], Scheme: "https", AllowLoopback: true,
            Tls: new UpstreamTlsSpec(["inside"], "business.test", "shop"))));
        await using var client = await TlsClient.ConnectAsync(access.SecureAddress, "shop.test");

        var answer = await client.GetAsync("shop.test\r\nX-Forwarded-For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6");

        Assert.EndsWith(
            "127.0.0.1, 127.0.0.1|https|shop.test|127.0.0.1|1.1 groundwork, 1.1 groundwork", answer,
            StringComparison.Ordinal);
        // Past the first nobody gets to the second: it wants a certificate of the inside.
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var past = await TlsClient.ConnectAsync(business.SecureAddress, "business.test");
            if ((await past.GetAsync("shop.test")).Length == 0) throw new IOException("closed");
        });
        // And what the first refuses never reaches the second.
        var before = service.Requests;
        await using var large = await TlsClient.ConnectAsync(access.SecureAddress, "shop.test");
        Assert.StartsWith(
            "HTTP/1.1 413 ", await large.GetAsync("shop.test\r\nContent-Length: 11"), StringComparison.Ordinal);
        Assert.Equal(before, service.Requests);
    }
}

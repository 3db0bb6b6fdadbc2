using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Tests.Gateway.Listening;
using Groundwork.Kernel.Resources;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Calling;

/// <summary>TLS with instances, which are real servers with certificates of an authority of the test's own.</summary>
public sealed class UpstreamTlsTests : IDisposable
{
    private readonly TestAuthority authority = new();
    private readonly TestAuthority stranger = new("stranger");

    public void Dispose()
    {
        authority.Dispose();
        stranger.Dispose();
    }

    [Fact]
    public async Task The_upstreams_own_authority_is_believed_and_nobody_else()
    {
        await using var instance = await StartAsync(authority.Sign(["127.0.0.1"]));
        await using var edge = await StartAsync(instance);

        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, instance, new UpstreamTlsSpec(["own"])));
        // The system's authorities, another one, and one that is not there.
        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(edge, instance, null));
        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(edge, instance, new UpstreamTlsSpec(["stranger"])));
        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(edge, instance, new UpstreamTlsSpec(["missing"])));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, instance, new UpstreamTlsSpec(["own", "stranger"])));
    }

    [Fact]
    public async Task The_certificate_must_be_for_the_name_that_is_asked_for()
    {
        var asked = new List<string>();
        await using var instance = await StartAsync(authority.Sign(["inner.test"]), asked);
        await using var edge = await StartAsync(instance);

        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(edge, instance, new UpstreamTlsSpec(["own"])));
        Assert.Equal(
            HttpStatusCode.OK, await AskAsync(edge, instance, new UpstreamTlsSpec(["own"], "inner.test")));
        Assert.Equal("inner.test", asked[^1]);
        Assert.Equal(
            HttpStatusCode.BadGateway, await AskAsync(edge, instance, new UpstreamTlsSpec(["own"], "other.test")));
    }

    [Fact]
    public async Task An_expired_certificate_is_refused_unless_insecure_is_spelled_out()
    {
        await using var instance = await StartAsync(
            authority.Sign(["127.0.0.1"], TimeSpan.FromDays(-9), TimeSpan.FromDays(-2)));
        await using var edge = await StartAsync(instance);

        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(edge, instance, new UpstreamTlsSpec(["own"])));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, instance, new UpstreamTlsSpec(Insecure: true)));
        // And off again: connections that were made without a look are not used any more.
        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(edge, instance, new UpstreamTlsSpec(["own"])));
    }

    [Fact]
    public async Task The_gateway_shows_its_certificate_where_the_instance_wants_one()
    {
        var (chain, key) = authority.Sign(["127.0.0.1"]);
        using var leaf = X509Certificate2.CreateFromPem(chain, key);
        using var served = X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), password: null);
        await using var instance = await WebInstance.StartAsync(
            async context => await context.Response.WriteAsync(
                (await context.Connection.GetClientCertificateAsync())?.Subject ?? "none"),
            _ => new SslServerAuthenticationOptions
            {
                ServerCertificate = served,
                ClientCertificateRequired = true,
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.Issuer == "CN=test authority",
            });
        await using var edge = await StartAsync(instance);
        edge.Snapshots.Put(authority.Certificate("gateway", "gateway.test"));

        Assert.Equal(
            HttpStatusCode.OK, await AskAsync(edge, instance, new UpstreamTlsSpec(["own"], null, "gateway")));
        using var answer = await edge.Client.GetAsync("/");
        Assert.Equal("CN=gateway", await answer.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(edge, instance, new UpstreamTlsSpec(["own"])));
        Assert.Equal(
            HttpStatusCode.BadGateway, await AskAsync(edge, instance, new UpstreamTlsSpec(["own"], null, "missing")));
    }

    [Fact]
    public void Contradictions_are_refused_when_an_upstream_is_published()
    {
        var faults = new List<Groundwork.Wire.FieldFault>();
        var spec = new UpstreamSpec(
            Addresses: [new UpstreamAddress("10.0.0.1:80")],
            Tls: new UpstreamTlsSpec(["own"], "Upper", "a b", Insecure: true));
        Communication.Gateway.Upstreams.UpstreamKind.Kind.Validate!(spec, faults); // It has rules.
        Assert.Equal(
            ["spec.tls", "spec.tls.insecure", "spec.tls", "spec.tls.serverName"], faults.Select(fault => fault.Path));
    }

    private async Task<TestEdge> StartAsync(WebInstance instance)
    {
        _ = instance;
        var edge = await TestEdge.StartAsync(new GatewayOptions { FailuresToEject = 100 });
        edge.Snapshots.Put(authority.AsResource("own"));
        edge.Snapshots.Put(stranger.AsResource("stranger"));
        return edge.RouteAll(spec => spec with { Service = null, Upstream = "secure" });
    }

    private static async Task<WebInstance> StartAsync((string Chain, string Key) pair, List<string>? asked = null)
    {
        using var leaf = X509Certificate2.CreateFromPem(pair.Chain, pair.Key);
        var served = X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), password: null);
        return await WebInstance.StartAsync(
            context => context.Response.WriteAsync("ok"),
            name =>
            {
                asked?.Add(name);
                return new SslServerAuthenticationOptions { ServerCertificate = served };
            });
    }

    private static async Task<HttpStatusCode> AskAsync(TestEdge edge, WebInstance instance, UpstreamTlsSpec? tls)
    {
        edge.Snapshots.Put(TestUpstreams.Resource("secure", new UpstreamSpec(
            Addresses: [new UpstreamAddress(instance.Address.ToString())], Scheme: "https", AllowLoopback: true,
            Tls: tls)));
        using var answer = await edge.Client.GetAsync("/");
        return answer.StatusCode;
    }
}

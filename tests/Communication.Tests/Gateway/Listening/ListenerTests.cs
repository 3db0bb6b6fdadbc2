using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Kernel.Resources;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Listening;

/// <summary>TLS, bounds and policies of listeners, with real handshakes.</summary>
public sealed class ListenerTests
{
    [Theory]
    [InlineData("shop.test", "CN=shop")]
    [InlineData("SHOP.test", "CN=shop")]
    [InlineData("a.wild.test", "CN=wild")]
    [InlineData("exact.wild.test", "CN=exact")]
    public async Task The_certificate_is_the_one_for_the_name_that_the_client_asks_for(string name, string subject)
    {
        using var authority = new TestAuthority();
        await using var edge = await TestEdge.StartAsync();
        edge.Snapshots.Put(authority.Certificate("shop", "shop.test"));
        edge.Snapshots.Put(authority.Certificate("wild", "*.wild.test"));
        edge.Snapshots.Put(authority.Certificate("exact", "exact.wild.test"));

        await using var client = await TlsClient.ConnectAsync(edge.SecureAddress, name);

        Assert.Equal(subject, client.Subject);
    }

    [Theory]
    [InlineData("other.test")]
    [InlineData("a.b.wild.test")] // A wildcard stands for one label.
    [InlineData("wild.test")]
    public async Task A_name_without_a_certificate_is_refused_as_unrecognized(string name)
    {
        using var authority = new TestAuthority();
        await using var edge = await TestEdge.StartAsync();
        edge.Snapshots.Put(authority.Certificate("wild", "*.wild.test"));

        var said = await OpensslAsync(edge.SecureAddress, "-servername", name);

        Assert.Contains("unrecognized name", said, StringComparison.Ordinal);
        // The twin: with a default the same client is served.
        edge.Snapshots.Put(Listener("https", new(new ListenerTlsSpec(Default: "wild"))));
        said = await OpensslAsync(edge.SecureAddress, "-servername", name);
        Assert.Contains("CN = wild", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_certificate_is_shown_to_new_connections_and_those_that_are_open_go_on()
    {
        using var authority = new TestAuthority();
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(Hosts("shop.test")).Instances(instance.Address);
        edge.Snapshots.Put(authority.Certificate("shop", "shop.test"));
        await using var before = await TlsClient.ConnectAsync(edge.SecureAddress, "shop.test");
        Assert.EndsWith("ok", await before.GetAsync("shop.test"), StringComparison.Ordinal);

        var (chain, key) = authority.Sign(["shop.test"], subject: "renewed");
        edge.Snapshots.Put(TestAuthority.Resource("shop", new CertificateSpec(chain, key)));

        await using var after = await TlsClient.ConnectAsync(edge.SecureAddress, "shop.test");
        Assert.Equal("CN=renewed", after.Subject);
        Assert.EndsWith("ok", await before.GetAsync("shop.test"), StringComparison.Ordinal);
        // One that cannot be used leaves the last good one in place.
        edge.Snapshots.Put(TestAuthority.Resource("shop", new CertificateSpec(chain, authority.Sign(["x"]).Key)));
        await using var kept = await TlsClient.ConnectAsync(edge.SecureAddress, "shop.test");
        Assert.Equal("CN=renewed", kept.Subject);
    }

    [Fact]
    public async Task A_connection_for_another_host_is_misdirected()
    {
        using var authority = new TestAuthority();
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(Hosts("one.test", "two.test", "three.test")).Instances(instance.Address);
        edge.Snapshots.Put(authority.Certificate("pair", "one.test", "two.test"));
        edge.Snapshots.Put(authority.Certificate("three", "three.test"));
        await using var client = await TlsClient.ConnectAsync(edge.SecureAddress, "one.test");

        Assert.StartsWith("HTTP/1.1 200 ", await client.GetAsync("one.test"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await client.GetAsync("two.test"), StringComparison.Ordinal); // Covered.
        var misdirected = await client.GetAsync("three.test");
        Assert.StartsWith("HTTP/1.1 421 ", misdirected, StringComparison.Ordinal);
        Assert.Contains("misdirected_request", misdirected, StringComparison.Ordinal);
        await using var own = await TlsClient.ConnectAsync(edge.SecureAddress, "three.test");
        Assert.StartsWith("HTTP/1.1 200 ", await own.GetAsync("three.test"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Http2_is_chosen_in_the_handshake_and_its_requests_are_held_to_the_same()
    {
        using var authority = new TestAuthority();
        await using var instance = await WebInstance.StartAsync(
            context => context.Response.WriteAsync($"{context.Request.Headers["X-Forwarded-Proto"]}"));
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(Hosts("one.test", "three.test")).Instances(instance.Address);
        edge.Snapshots.Put(authority.Certificate("one", "one.test"));

        Assert.Equal("https 200 2", await CurlAsync(edge.SecureAddress, "one.test"));
        Assert.EndsWith(" 421 2", await CurlAsync(edge.SecureAddress, "three.test"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_floor_of_tls_is_the_listeners()
    {
        using var authority = new TestAuthority();
        await using var edge = await TestEdge.StartAsync();
        edge.Snapshots.Put(authority.Certificate("shop", "shop.test"));
        await using (var old = await TlsClient.ConnectAsync(edge.SecureAddress, "shop.test", SslProtocols.Tls12))
            Assert.Equal(SslProtocols.Tls12, old.Protocol);

        edge.Snapshots.Put(Listener("https", new(new ListenerTlsSpec(MinVersion: "1.3"))));

        await Assert.ThrowsAnyAsync<Exception>(
            () => TlsClient.ConnectAsync(edge.SecureAddress, "shop.test", SslProtocols.Tls12));
        await using var now = await TlsClient.ConnectAsync(edge.SecureAddress, "shop.test", SslProtocols.Tls13);
        Assert.Equal(SslProtocols.Tls13, now.Protocol);
    }

    [Fact]
    public async Task Clients_show_a_certificate_of_an_authority_that_the_listener_believes()
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority("stranger");
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(Hosts("shop.test")).Instances(instance.Address);
        edge.Snapshots.Put(authority.Certificate("shop", "shop.test"));
        edge.Snapshots.Put(authority.AsResource("clients"));
        edge.Snapshots.Put(Listener(
            "https", new(new ListenerTlsSpec(ClientCertificates: new ClientCertificatesSpec(["clients"])))));
        using var good = authority.Client("alice");
        using var bad = stranger.Client("mallory");
        using var expired = authority.Client("bob", TimeSpan.FromMinutes(-5));

        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(edge, good), StringComparison.Ordinal);
        Assert.Equal("", await AskAsync(edge, bad));
        Assert.Equal("", await AskAsync(edge, expired));
        Assert.Equal("", await AskAsync(edge, null));
        // Asked for and not required: none is as good, a wrong one is not.
        edge.Snapshots.Put(Listener(
            "https", new(new ListenerTlsSpec(ClientCertificates: new ClientCertificatesSpec(["clients"], "ask")))));
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(edge, null), StringComparison.Ordinal);
        Assert.Equal("", await AskAsync(edge, bad));
        // An authority that is not there lets nobody in.
        edge.Snapshots.Put(Listener(
            "https", new(new ListenerTlsSpec(ClientCertificates: new ClientCertificatesSpec(["missing"])))));
        Assert.Equal("", await AskAsync(edge, good));
    }

    [Fact]
    public async Task Plain_requests_are_sent_to_https_where_the_listener_says_so()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync(new GatewayOptions
        {
            TrustedProxies = [IPNetwork.Parse("127.0.0.0/8")],
        });
        edge.RouteAll().Instances(instance.Address);
        edge.Snapshots.Put(Listener("http", new(RedirectToHttps: true)));

        using var moved = await edge.Client.GetAsync("/a%20b?q=1");
        Assert.Equal(HttpStatusCode.PermanentRedirect, moved.StatusCode);
        Assert.Equal("https://127.0.0.1/a%20b?q=1", moved.Headers.Location!.OriginalString); // It redirects.
        // Who came over TLS to a proxy that is believed is not sent in a circle.
        using var secure = new HttpRequestMessage(HttpMethod.Get, "/");
        secure.Headers.Add("X-Forwarded-Proto", "https");
        using var passed = await edge.Client.SendAsync(secure);
        Assert.Equal(HttpStatusCode.OK, passed.StatusCode);
    }

    [Fact]
    public async Task A_route_can_only_ask_for_less_than_its_listener_allows()
    {
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            if (context.Request.Path == "/slow")
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            await context.Response.WriteAsync("ok");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address); // Whose time-out is 20 s.
        edge.Snapshots.Put(Listener("http", new(Bounds: new ListenerBoundsSpec(BodyBytes: 10, ResponseHeadMs: 200))));

        using var large = await edge.Client.PostAsync("/", new ByteArrayContent(new byte[11]));
        using var small = await edge.Client.PostAsync("/", new ByteArrayContent(new byte[10]));
        using var slow = await edge.Client.GetAsync("/slow");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        Assert.Equal(HttpStatusCode.OK, small.StatusCode);
        Assert.Equal(HttpStatusCode.GatewayTimeout, slow.StatusCode);
    }

    [Theory]
    [InlineData(2, null)]
    [InlineData(null, 2)]
    public async Task Connections_over_the_cap_are_closed_and_a_place_that_is_left_is_given_again(int? all, int? each)
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        edge.Snapshots.Put(Listener("http", new(Bounds: new ListenerBoundsSpec(all, each))));
        const string asking = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        var first = await RawConnection.ToAsync(edge.Address);
        using var second = await RawConnection.ToAsync(edge.Address);
        foreach (var one in new[] { first, second })
        {
            await one.WriteAsync(asking);
            Assert.StartsWith("HTTP/1.1 200 ", await one.ReadAnswerAsync(), StringComparison.Ordinal);
        }
        Assert.False(await IsServedAsync());

        first.Dispose();

        await Eventually.TrueAsync(IsServedAsync, "the place of the closed connection is free");

        async Task<bool> IsServedAsync()
        {
            try
            {
                using var next = await RawConnection.ToAsync(edge.Address);
                await next.WriteAsync(asking);
                return (await next.ReadAnswerAsync()).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal);
            }
            catch (Exception closed) when (closed is IOException or SocketException)
            {
                return false;
            }
        }
    }

    internal static Resource Listener(string name, GatewayListenerSpec spec) => TestAuthority.Resource(
        GatewayListenerKind.Kind, new ResourceKey(GatewayListenerKind.Name, "", name), spec);

    internal static Func<RouteSpec, RouteSpec> Hosts(params string[] hosts) =>
        spec => spec with { Match = spec.Match with { Hosts = hosts } };

    private static async Task<string> AskAsync(
        TestEdge edge, System.Security.Cryptography.X509Certificates.X509Certificate2? own)
    {
        try
        {
            await using var client = await TlsClient.ConnectAsync(edge.SecureAddress, "shop.test", own: own);
            return await client.GetAsync("shop.test");
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException)
        {
            return "";
        }
    }

    private static Task<string> OpensslAsync(IPEndPoint address, params string[] arguments) => RunAsync(
        Tools.Require("openssl", "openssl"), ["s_client", "-connect", address.ToString(), .. arguments]);

    // A connection for one.test, and a request over it.
    private static Task<string> CurlAsync(IPEndPoint address, string host) => RunAsync(
        Tools.Require("curl", "curl"),
        [
            "-sk", "--http2", "--resolve", $"one.test:{address.Port}:{address.Address}", "-H", $"Host: {host}",
            "-w", " %{http_code} %{http_version}", $"https://one.test:{address.Port}/",
        ]);

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var run = Process.Start(start)!; // Null only for shell execution.
        run.StandardInput.Close();
        var (output, error) = (run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync());
        await run.WaitForExitAsync();
        return await output + await error;
    }
}

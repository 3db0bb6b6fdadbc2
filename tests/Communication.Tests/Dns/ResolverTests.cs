using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Groundwork.Client;
using Groundwork.Communication.Dns;
using Groundwork.Communication.Dns.Protocols.HttpDns;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>The SDK's resolver with the platform's HTTPDNS.</summary>
public sealed class ResolverTests
{
    private const string Secret = "00112233445566778899aabbccddeeff";
    private const string AesKey = "000102030405060708090a0b0c0d0e0f";
    private const string Host = "api.corp.example";
    private const int TtlSeconds = 5;

    private static readonly IPAddress Elsewhere = IPAddress.Parse("127.0.0.2");

    [Theory]
    [InlineData(null)]
    [InlineData(AesKey)]
    public async Task Addresses_come_signed_and_encrypted_and_are_kept(string? key)
    {
        await using var names = await StartAsync();
        await using var resolver = new HttpDnsResolver(Options(names) with { AesKey = key });
        var found = await resolver.ResolveAsync(Host);
        Assert.Equal(HttpDnsOrigin.Server, found.Origin);
        Assert.Equal(["10.0.0.1", "10.0.0.2", "2001:db8::1"], Texts(found));
        Assert.Equal(HttpDnsOrigin.Kept, (await resolver.ResolveAsync("API.corp.example")).Origin);
        Assert.Equal(["127.0.0.1"], Texts(await resolver.ResolveAsync("127.0.0.1")));
    }

    [Fact]
    public async Task Stale_addresses_are_used_while_new_ones_are_fetched()
    {
        await using var names = await StartAsync();
        var time = new ManualTimeProvider(TimeProvider.System.GetUtcNow());
        await using var resolver = new HttpDnsResolver(Options(names) with { Time = time });
        await resolver.ResolveAsync(Host);
        names.Zone("corp.example", new DnsZoneSpec([new("api", "A", ["10.0.0.3"])]));
        time.Advance(TimeSpan.FromSeconds(61));
        var stale = await resolver.ResolveAsync(Host);
        Assert.Equal((HttpDnsOrigin.Stale, 3), (stale.Origin, stale.Addresses.Count));
        var fresh = await Eventually.ValueAsync(
            async () => await resolver.ResolveAsync(Host), found => found.Origin == HttpDnsOrigin.Kept,
            "it is renewed");
        Assert.Equal(["10.0.0.3"], Texts(fresh));
    }

    [Fact]
    public async Task Without_stale_ones_whoever_asks_waits_for_the_new()
    {
        await using var names = await StartAsync();
        var time = new ManualTimeProvider(TimeProvider.System.GetUtcNow());
        await using var resolver = new HttpDnsResolver(Options(names) with
        {
            Time = time, UseStale = false, Ttl = static (_, said) => said * 10,
        });
        await resolver.ResolveAsync(Host);
        time.Advance(TimeSpan.FromSeconds(599));
        Assert.Equal(HttpDnsOrigin.Kept, (await resolver.ResolveAsync(Host)).Origin);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(HttpDnsOrigin.Server, (await resolver.ResolveAsync(Host)).Origin);
    }

    [Fact]
    public async Task A_poisoned_local_dns_leads_a_plain_client_astray_and_not_ours()
    {
        using var right = new NamedPeer(Host, "right");
        // Somebody else, on the same port of another address, with a certificate of his own for the same name.
        using var wrong = new NamedPeer(Host, "wrong", new IPEndPoint(Elsewhere, right.Address.Port));
        await using var names = await TestNames.StartAsync();
        names.Put(HttpDnsAccountKind.Kind, "100000", Account);
        names.Zone("corp.example", new DnsZoneSpec([new("api", "A", ["127.0.0.1"])]));
        await using var poisoned = await NamedServer.StartAsync(
            "corp.example",
            $"""
            $TTL 60
            @ SOA ns. root. 1 60 60 60 60
            @ NS ns.
            api A {Elsewhere}

            """);
        await using var resolver = new HttpDnsResolver(Options(names) with { LocalDns = By(poisoned) });
        var url = new Uri($"https://{Host}:{right.Address.Port}/");
        using var plain = Plain(right, poisoned);
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetStringAsync(url));
        Assert.IsType<AuthenticationException>(refused.InnerException);
        Assert.Equal(Host, wrong.ServerName);
        using var ours = Client(right, resolver.CreateHandler());
        Assert.Equal("right", await ours.GetStringAsync(url));
        Assert.Equal(Host, right.ServerName);
        Assert.Contains($"Host: {Host}:", right.Head);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public async Task A_stale_local_dns_leads_a_plain_client_to_where_the_server_was_and_not_ours(
        bool gone, bool useStale)
    {
        using var now = new NamedPeer(Host, "now", new IPEndPoint(Elsewhere, 0));
        using var before = new NamedPeer(Host, "before", new IPEndPoint(IPAddress.Loopback, now.Address.Port));
        await using var names = await TestNames.StartAsync();
        names.Put(HttpDnsAccountKind.Kind, "100000", Account);
        names.Zone("corp.example", At(IPAddress.Loopback));
        await using var stale = await NamedServer.KeepingAsync(names.Address, "corp.example");
        var time = new ManualTimeProvider(TimeProvider.System.GetUtcNow());
        await using var resolver = new HttpDnsResolver(
            Options(names) with { Time = time, UseStale = useStale, LocalDns = By(stale) });
        var url = new Uri($"https://{Host}:{now.Address.Port}/");
        foreach (var handler in (SocketsHttpHandler[])[By(stale, Host), resolver.CreateHandler()])
        {
            using var client = Client(before, handler);
            Assert.Equal("before", await client.GetStringAsync(url));
        }

        // It moves. Local DNS still has the old address, for longer than the zone has allowed.
        names.Zone("corp.example", At(Elsewhere));
        before.Dispose();
        using var another = gone ? null : new NamedPeer("other.example", "another", before.Address);
        time.Advance(TimeSpan.FromSeconds(TtlSeconds + 1));
        var left = (await stale.DigAsync("+noall", "+answer", Host, "A")).Split([' ', '\t'])
            .Where(part => part.Length > 0).ElementAt(1);
        Assert.InRange(
            int.Parse(left, CultureInfo.InvariantCulture), TtlSeconds + 1, NamedServer.KeptSeconds);
        Assert.Equal([IPAddress.Loopback], await stale.ResolveAsync(Host));

        using var plain = Plain(now, stale);
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetStringAsync(url));
        if (gone) Assert.IsType<SocketException>(refused.InnerException);
        else Assert.IsType<AuthenticationException>(refused.InnerException);
        using var ours = Client(now, resolver.CreateHandler());
        Assert.Equal("now", await ours.GetStringAsync(url));
        Assert.Equal(Host, now.ServerName);
        Assert.Contains($"Host: {Host}:", now.Head);

        DnsZoneSpec At(IPAddress address) =>
            new([new("api", "A", [address.ToString()])], TtlSeconds: TtlSeconds);
    }

    [Fact]
    public async Task Connected_by_address_a_certificate_of_another_name_is_refused()
    {
        using var peer = new NamedPeer("other.example", "right");
        await using var names = await TestNames.StartAsync();
        names.Put(HttpDnsAccountKind.Kind, "100000", Account);
        names.Zone("corp.example", new DnsZoneSpec([new("api", "A", ["127.0.0.1"])]));
        await using var resolver = new HttpDnsResolver(Options(names));
        using var client = Client(peer, resolver.CreateHandler());
        var refused = await Assert.ThrowsAsync<HttpRequestException>(
            () => client.GetStringAsync(new Uri($"https://{Host}:{peer.Address.Port}/")));
        Assert.IsType<AuthenticationException>(refused.InnerException);
    }

    [Fact]
    public async Task A_server_that_is_gone_is_passed_over_and_without_any_local_dns_is_asked_and_one_looks_again()
    {
        await using var names = await StartAsync();
        using var gone = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        gone.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // Bound, and not listening: refused.
        var dead = new Uri($"http://{gone.LocalEndPoint}");
        await using (var resolver = new HttpDnsResolver(Options(names) with { Servers = [dead, names.HttpDns] }))
            Assert.Equal(HttpDnsOrigin.Server, (await resolver.ResolveAsync(Host)).Origin);

        var time = new ManualTimeProvider(TimeProvider.System.GetUtcNow());
        var asked = 0;
        await using var alone = new HttpDnsResolver(Options(names) with
        {
            Servers = [dead], Time = time,
            LocalDns = (_, _) =>
            {
                asked++;
                return Task.FromResult<IPAddress[]>([IPAddress.Parse("192.0.2.1")]);
            },
        });
        Assert.Equal(HttpDnsOrigin.LocalDns, (await alone.ResolveAsync(Host)).Origin);
        gone.Dispose();
        // A server is there again: nobody asks it until the thirty seconds are over, then the first who needs it.
        await using var back = await TestNames.StartAsync(httpDns: new ListenAddress(IPAddress.Loopback, dead.Port));
        back.Put(HttpDnsAccountKind.Kind, "100000", Account);
        back.Zone("corp.example", new DnsZoneSpec([new("api", "A", ["10.0.0.5"])]));
        Assert.Equal(HttpDnsOrigin.LocalDns, (await alone.ResolveAsync(Host)).Origin);
        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(["10.0.0.5"], Texts(await alone.ResolveAsync(Host)));
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task The_address_that_connects_soonest_comes_first_and_pre_resolved_names_are_there()
    {
        using var peer = new NamedPeer(Host, "right");
        await using var names = await TestNames.StartAsync();
        names.Put(HttpDnsAccountKind.Kind, "100000", Account);
        // 127.0.0.9 has nobody on the port: refused, and last.
        names.Zone("corp.example", new DnsZoneSpec(
            [new("api", "A", ["127.0.0.9", "127.0.0.1"]), new("b", "A", ["10.0.0.7"])]));
        await using var resolver = new HttpDnsResolver(Options(names) with
        {
            RankPorts = new Dictionary<string, int> { [Host] = peer.Address.Port },
            PreResolve = [Host, "b.corp.example", "none.corp.example"],
        });
        var found = await Eventually.ValueAsync(
            async () => await resolver.ResolveAsync("b.corp.example"), one => one.Origin == HttpDnsOrigin.Kept, "kept");
        Assert.Equal(["10.0.0.7"], Texts(found));
        var ranked = await Eventually.ValueAsync(
            async () => await resolver.ResolveAsync(Host), one => one.Origin == HttpDnsOrigin.Kept, "kept");
        Assert.Equal(["127.0.0.1", "127.0.0.9"], ranked.Addresses.Select(address => address.ToString()));
        // A new network: what was learned in the old one is gone.
        names.Zone("corp.example", new DnsZoneSpec([new("b", "A", ["10.0.0.8"])]));
        resolver.Forget();
        var anew = await Eventually.ValueAsync(
            async () => await resolver.ResolveAsync("b.corp.example"), one => one.Origin == HttpDnsOrigin.Kept, "kept");
        Assert.Equal(["10.0.0.8"], Texts(anew));
    }

    private static readonly HttpDnsAccountSpec Account =
        new(["*.corp.example"], SecretText.Of(Secret), SecretText.Of(AesKey));

    private static HttpDnsOptions Options(TestNames names) => new()
    {
        Servers = [names.HttpDns], Account = "100000", Secret = Secret,
        LocalDns = static (_, _) => throw new SocketException((int)SocketError.HostNotFound),
    };

    private static async Task<TestNames> StartAsync()
    {
        var names = await TestNames.StartAsync();
        names.Put(HttpDnsAccountKind.Kind, "100000", Account);
        names.Zone("corp.example", new DnsZoneSpec(
            [new("api", "A", ["10.0.0.1", "10.0.0.2"]), new("api", "AAAA", ["2001:db8::1"])]));
        return names;
    }

    private static HttpClient Client(NamedPeer believed, SocketsHttpHandler handler)
    {
        handler.UseProxy = false;
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { believed.Certificate },
        };
        return new HttpClient(handler);
    }

    private static Func<string, CancellationToken, Task<IPAddress[]>> By(NamedServer local) =>
        (host, _) => local.ResolveAsync(host);

    /// <summary>Connects to where local DNS says, and trusts the certificate of the peer it believes in.</summary>
    private static HttpClient Plain(NamedPeer believed, NamedServer local) => Client(believed, By(local, Host));

    private static SocketsHttpHandler By(NamedServer local, string host) => new()
    {
        ConnectCallback = async (context, stop) =>
        {
            Assert.Equal(host, context.DnsEndPoint.Host);
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(await local.ResolveAsync(host), context.DnsEndPoint.Port, stop);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    private static string[] Texts(HttpDnsAddresses found) =>
        [.. found.Addresses.Select(address => address.ToString()).Order(StringComparer.Ordinal)];

    /// <summary>A server of HTTPS with a certificate for one name, that answers one word.</summary>
    private sealed class NamedPeer : IDisposable
    {
        private readonly TcpListener listener;
        private readonly string word;

        public NamedPeer(string name, string word, IPEndPoint? at = null)
        {
            this.word = word;
            listener = new TcpListener(at ?? new IPEndPoint(IPAddress.Loopback, 0));
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
            var now = TimeProvider.System.GetUtcNow();
            using var made = request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
            Certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
            listener.Start();
            Address = (IPEndPoint)listener.LocalEndpoint;
            _ = ServeAsync();
        }

        public X509Certificate2 Certificate { get; }

        public IPEndPoint Address { get; }

        public string? ServerName { get; private set; }

        public string Head { get; private set; } = "";

        public void Dispose()
        {
            listener.Dispose();
            Certificate.Dispose();
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true) await ServeAsync(await listener.AcceptTcpClientAsync());
            }
            catch (Exception end) when (end is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The test is over.
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            try
            {
                using (client)
                {
                    await using var stream = new SslStream(client.GetStream());
                    await stream.AuthenticateAsServerAsync(new ServerOptionsSelectionCallback(
                        (_, hello, _, _) =>
                        {
                            ServerName = hello.ServerName;
                            return ValueTask.FromResult(
                                new SslServerAuthenticationOptions { ServerCertificate = Certificate });
                        }), null, CancellationToken.None);
                    var bytes = new byte[4096];
                    Head = Encoding.ASCII.GetString(bytes, 0, await stream.ReadAsync(bytes));
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(
                        $"HTTP/1.1 200 OK\r\nContent-Length: {word.Length}\r\nConnection: close\r\n\r\n{word}"));
                }
            }
            catch (Exception refused) when (refused is IOException or AuthenticationException)
            {
                // The client did not believe the certificate.
            }
        }
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Layer4;
using Groundwork.Communication.Tests.Gateway.Listening;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Tls;

namespace Groundwork.Communication.Tests.Gateway.Layer4;

/// <summary>TCP routes with real peers: redis, openssl, haproxy.</summary>
public sealed class TcpRouteTests
{
    [Fact]
    public async Task Redis_is_reached_through_a_route_and_not_when_the_route_is_gone()
    {
        var cli = Tools.Require("redis-cli", "redis-tools");
        using var directory = new TemporaryDirectory();
        var port = FreePort.Next();
        using var redis = Start(
            Tools.Require("redis-server", "redis-server"), "--port", $"{port}", "--bind", "127.0.0.1", "--save", "",
            "--dir", directory.Path);
        try
        {
            await using var edge = await TestEdge.StartAsync();
            edge.Registry.Set("redis", ("127.0.0.1", port, 100));
            var listen = Put(edge, new TcpRouteSpec("", "redis"));
            await Eventually.TrueAsync(
                async () => await RunAsync(cli, "-p", $"{port}", "PING") == "PONG", "redis answers");

            Assert.Equal("OK", await RunAsync(cli, "-p", $"{listen}", "SET", "a", "b"));
            Assert.Equal("b", await RunAsync(cli, "-p", $"{listen}", "GET", "a"));
            Assert.Contains(edge.Registry.Outcomes, one => one.Outcome == CallOutcome.Answered);

            edge.Snapshots.Delete(Key("tcp"));
            Assert.Contains("refused", await RunAsync(cli, "-p", $"{listen}", "PING"), StringComparison.Ordinal);
        }
        finally
        {
            await EndAsync(redis);
        }
    }

    [Fact]
    public async Task Each_side_may_end_while_the_other_goes_on()
    {
        // Takes all that comes, and answers when the other side has ended.
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.WriteAsync("hello ");
            await connection.WriteAsync("got " + await connection.ReadToEndAsync());
        });
        // Ends at once, and takes what comes.
        var taken = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var ending = RawInstance.Start(async connection =>
        {
            connection.EndSending();
            taken.TrySetResult(await connection.ReadToEndAsync());
        });
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Set("one", Of(instance.Address));
        edge.Registry.Set("other", Of(ending.Address));
        var (first, second) = (
            Put(edge, new TcpRouteSpec("", "one")), Put(edge, new TcpRouteSpec("", "other"), "other"));

        using var client = await RawConnection.ToAsync(new IPEndPoint(IPAddress.Loopback, first));
        await client.WriteAsync("abc");
        client.EndSending();
        Assert.Equal("hello got abc", await client.ReadToEndAsync());

        using var writing = await RawConnection.ToAsync(new IPEndPoint(IPAddress.Loopback, second));
        Assert.Equal("", await writing.ReadToEndAsync());
        await writing.WriteAsync("late");
        writing.EndSending();
        Assert.Equal("late", await taken.Task);
    }

    [Fact]
    public async Task An_instance_that_cannot_be_connected_is_passed_over_and_left_out()
    {
        await using var good = RawInstance.Start(connection => connection.WriteAsync("good"));
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Set("mixed", Of(RawInstance.Refusing()), Of(good.Address));
        var listen = Put(edge, new TcpRouteSpec("", "mixed"));

        for (var round = 0; round < 20; round++)
        {
            using var client = await RawConnection.ToAsync(new IPEndPoint(IPAddress.Loopback, listen));
            Assert.Equal("good", await client.ReadToEndAsync());
        }

        // Twice in a row, and then nothing more for as long as this test takes.
        Assert.InRange(edge.Registry.Outcomes.Count(one => one.Outcome == CallOutcome.ConnectFailed), 1, 4);
    }

    [Fact]
    public async Task Lists_and_caps_hold_and_nothing_passes_in_silence_for_ever()
    {
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.WriteAsync("in");
            await connection.ReadToEndAsync();
        });
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Set("one", Of(instance.Address));
        foreach (var (spec, enters) in new (TcpRouteSpec, bool)[]
        {
            (new("", "one", Allow: ["127.0.0.0/8"]), true),
            (new("", "one", Allow: ["10.0.0.0/8"]), false),
            (new("", "one", Deny: ["127.0.0.1"]), false),
            (new("", "one", Deny: ["10.0.0.0/8"]), true),
            (new("", "one", Allow: ["127.0.0.0/8"], Deny: ["127.0.0.1"]), false),
        })
        {
            using var client = await RawConnection.ToAsync(new IPEndPoint(IPAddress.Loopback, Put(edge, spec)));
            Assert.Equal(enters ? "in" : "", await (enters ? client.ReadUntilAsync("in") : client.ReadToEndAsync()));
        }
        var listen = new IPEndPoint(
            IPAddress.Loopback, Put(edge, new TcpRouteSpec("", "one", MaxConnections: 1, IdleMs: 1_000)));
        using var first = await RawConnection.ToAsync(listen);
        Assert.Equal("in", await first.ReadUntilAsync("in"));
        using (var second = await RawConnection.ToAsync(listen)) Assert.Equal("", await second.ReadToEndAsync());

        Assert.Equal("", await first.ReadToEndAsync()); // After a second of silence.
        await Eventually.TrueAsync(
            async () =>
            {
                using var third = await RawConnection.ToAsync(listen);
                return (await third.ReadToEndAsync()) == "in";
            },
            "the place is free again");
    }

    [Fact]
    public async Task Tls_passes_through_to_whom_the_client_asks_for()
    {
        using var authority = new TestAuthority();
        await using var one = await SecureInstanceAsync(authority, "one.test");
        await using var wild = await SecureInstanceAsync(authority, "*.wild.test");
        await using var plain = RawInstance.Start(connection => connection.WriteAsync("plain"));
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Set("one", Of(one.Address));
        edge.Registry.Set("wild", Of(wild.Address));
        edge.Registry.Set("plain", Of(plain.Address));
        var port = Put(edge, new TcpRouteSpec("", "one", ServerNames: ["one.test"]));
        Put(edge, new TcpRouteSpec($"127.0.0.1:{port}", "wild", ServerNames: ["*.wild.test"]), "wild");
        var address = new IPEndPoint(IPAddress.Loopback, port);

        await using (var client = await TlsClient.ConnectAsync(address, "one.test"))
            Assert.Equal("CN=leaf", client.Subject);
        await using (var client = await TlsClient.ConnectAsync(address, "a.wild.test"))
            Assert.EndsWith("*.wild.test", await client.GetAsync("a.wild.test"), StringComparison.Ordinal);
        // Whom nobody takes gets the alert, and who speaks no TLS gets nothing.
        Assert.Contains(
            "unrecognized name",
            await RunAsync(
                Tools.Require("openssl", "openssl"), "s_client", "-connect", $"{address}", "-servername", "b.test"),
            StringComparison.Ordinal);
        Assert.Equal("", await SayAsync(address, "GET / HTTP/1.1\r\n\r\n"));
        // With a route for all others they do.
        Put(edge, new TcpRouteSpec($"127.0.0.1:{port}", "plain"), "rest");
        Assert.Equal("plain", await SayAsync(address, "GET / HTTP/1.1\r\n\r\n"));
    }

    [Fact]
    public async Task Tls_ends_here_with_certificates_of_clients_where_the_route_says_so()
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority("stranger");
        await using var instance = await WebInstance.NamedAsync("in clear");
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Set("one", Of(instance.Address));
        edge.Snapshots.Put(authority.Certificate("shop", "shop.test"));
        edge.Snapshots.Put(authority.AsResource("clients"));
        var listen = new IPEndPoint(IPAddress.Loopback, Put(edge, new TcpRouteSpec(
            "", "one",
            Tls: new ListenerTlsSpec(["shop"], ClientCertificates: new ClientCertificatesSpec(["clients"])))));
        using var good = authority.Client("alice");
        using var bad = stranger.Client("mallory");

        await using var client = await TlsClient.ConnectAsync(listen, "shop.test", own: good);
        Assert.EndsWith("in clear", await client.GetAsync("shop.test"), StringComparison.Ordinal);

        foreach (var own in new[] { bad, null })
            Assert.Equal("", await AskAsync(listen, own));

        static async Task<string> AskAsync(
            IPEndPoint address, System.Security.Cryptography.X509Certificates.X509Certificate2? own)
        {
            try
            {
                await using var refused = await TlsClient.ConnectAsync(address, "shop.test", own: own);
                return await refused.GetAsync("shop.test");
            }
            catch (Exception fault) when (fault is AuthenticationException or IOException)
            {
                return "";
            }
        }
    }

    [Fact]
    public async Task Haproxy_hears_by_the_proxy_protocol_who_the_client_is()
    {
        using var directory = new TemporaryDirectory();
        var port = FreePort.Next();
        var file = directory.Write("haproxy.cfg", $"""
            defaults
              mode http
              timeout connect 5s
              timeout client 20s
              timeout server 20s
            frontend in
              bind 127.0.0.1:{port} accept-proxy
              http-request return status 200 content-type text/plain lf-string "%[src]"

            """);
        using var haproxy = Start(Tools.Require("haproxy", "haproxy"), "-db", "-f", file);
        try
        {
            await using var edge = await TestEdge.StartAsync();
            edge.Registry.Set("one", ("127.0.0.1", port, 100));
            const string asking = "GET / HTTP/1.0\r\n\r\n";
            var told = Put(edge, new TcpRouteSpec("", "one", SendProxyProtocol: true));
            var heard = Put(
                edge, new TcpRouteSpec("", "one", ProxyProtocol: ["127.0.0.0/8"], SendProxyProtocol: true), "heard");
            var silent = Put(edge, new TcpRouteSpec("", "one"), "silent");

            await Eventually.TrueAsync(
                async () => (await FromAsync("127.0.0.9", told, asking))
                    .EndsWith("127.0.0.9", StringComparison.Ordinal),
                "haproxy tells the address of the client");
            // What a proxy before us says is passed on.
            Assert.EndsWith(
                "203.0.113.7",
                await FromAsync("127.0.0.9", heard, "PROXY TCP4 203.0.113.7 192.0.2.1 5 6\r\n" + asking),
                StringComparison.Ordinal);
            Assert.DoesNotContain("200", await FromAsync("127.0.0.9", silent, asking), StringComparison.Ordinal);
        }
        finally
        {
            await EndAsync(haproxy);
        }
    }

    [Fact]
    public async Task An_instance_that_drains_keeps_its_connections_and_gets_no_new_ones()
    {
        await using var old = RawInstance.Start(connection => EchoAsync(connection, "old "));
        await using var fresh = RawInstance.Start(connection => EchoAsync(connection, "new "));
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Set("echo", Of(old.Address));
        var listen = new IPEndPoint(IPAddress.Loopback, Put(edge, new TcpRouteSpec("", "echo")));
        using var client = await RawConnection.ToAsync(listen);
        await client.WriteAsync("a\n");
        Assert.Equal("old a\n", await client.ReadUntilAsync("\n"));

        // As the registry shows it: one that drains is not in the list any more.
        edge.Registry.Set("echo", Of(fresh.Address));
        for (var round = 0; round < 5; round++)
        {
            using var other = await RawConnection.ToAsync(listen);
            await other.WriteAsync("b\n");
            Assert.Equal("new b\n", await other.ReadUntilAsync("\n"));
        }
        await client.WriteAsync("c\n");
        Assert.Equal("old c\n", await client.ReadUntilAsync("\n"));
        // Nor does a change of the route cut it.
        Put(edge, new TcpRouteSpec($"127.0.0.1:{listen.Port}", "echo", IdleMs: 60_000));
        await client.WriteAsync("d\n");
        Assert.Equal("old d\n", await client.ReadUntilAsync("\n"));
    }

    [Fact]
    public async Task A_gateway_that_drains_takes_no_connection_and_waits_for_those_that_are_open()
    {
        await using var instance = RawInstance.Start(connection => EchoAsync(connection, ""));
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Set("echo", Of(instance.Address));
        var listen = new IPEndPoint(IPAddress.Loopback, Put(edge, new TcpRouteSpec("", "echo")));
        var client = await RawConnection.ToAsync(listen);
        await client.WriteAsync("a\n");
        Assert.Equal("a\n", await client.ReadUntilAsync("\n"));

        var drained = edge.Module.DrainAsync(TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<SocketException>(() => RawConnection.ToAsync(listen));
        await client.WriteAsync("b\n");
        Assert.Equal("b\n", await client.ReadUntilAsync("\n"));
        Assert.False(drained.IsCompleted);
        client.Dispose();
        await drained.WaitAsync(Eventually.Patience);

        // The end of the patience is the end of the wait, whoever is still there.
        var second = await TestEdge.StartAsync();
        second.Registry.Set("echo", Of(instance.Address));
        using var staying = await RawConnection.ToAsync(
            new IPEndPoint(IPAddress.Loopback, Put(second, new TcpRouteSpec("", "echo"))));
        await staying.WriteAsync("a\n");
        Assert.Equal("a\n", await staying.ReadUntilAsync("\n"));
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        await second.Module.DrainAsync(patience.Token).WaitAsync(Eventually.Patience);
        await second.DisposeAsync();
        Assert.Equal("", await staying.ReadToEndAsync());
    }

    [Fact]
    public void A_route_opens_no_address_off_loopback_and_takes_nobody_elses_connections()
    {
        var faults = new List<FieldFault>();
        TcpRouteKind.Kind.Validate!( // It has rules.
            new TcpRouteSpec("0.0.0.0:6379", "a b", "c", ["*", "Upper.test"], Allow: ["x"], MaxConnections: 0), faults);
        Assert.Equal(
            [
                "spec.listen", "spec", "spec.service", "spec.serverNames", "spec.serverNames", "spec.allow[0]",
                "spec.maxConnections",
            ],
            faults.Select(fault => fault.Path));
        faults.Clear();
        var resource = TestAuthority.Resource(TcpRouteKind.Kind, Key("one"), new TcpRouteSpec("db", "s"));
        var head = Snapshot.Empty("store", 1).With(2, [new AppliedChange(2, 0, Key("one"), null, resource, true)]);
        TcpRouteKind.Kind.ValidateAgainst!(head, Key("two"), new TcpRouteSpec("other", "s"), faults); // It has rules.
        TcpRouteKind.Kind.ValidateAgainst(head, Key("two"), new TcpRouteSpec("db", "s", ServerNames: ["a.b"]), faults);
        TcpRouteKind.Kind.ValidateAgainst(head, Key("one"), new TcpRouteSpec("db", "s"), faults);
        Assert.Empty(faults);
        TcpRouteKind.Kind.ValidateAgainst(head, Key("two"), new TcpRouteSpec("db", "s"), faults);
        Assert.Equal("spec.listen", Assert.Single(faults).Path);
    }

    [Fact]
    public async Task Hellos_of_any_bytes_are_read_within_bounds()
    {
        var good = await HelloAsync("shop.test");
        Assert.Equal(HelloProgress.Complete, ClientHello.Read(good, out var name));
        Assert.Equal("shop.test", name);
        for (var cut = 0; cut < good.Length; cut++)
            Assert.Equal(HelloProgress.Incomplete, ClientHello.Read(good.AsSpan(0, cut), out _));
        // The same, cut over records of one byte.
        var pieces = good.Skip(5).SelectMany(one => new byte[] { 22, 3, 1, 0, 1, one }).ToArray();
        Assert.Equal(HelloProgress.Complete, ClientHello.Read(pieces, out name));
        Assert.Equal("shop.test", name);
        Assert.Equal(HelloProgress.Bad, ClientHello.Read("GET / HTTP/1.1\r\n"u8, out _));
        var random = LongRun.Random();
        for (var round = 0; round < LongRun.Count(50_000, 5_000_000); round++)
        {
            var bytes = good.ToArray();
            for (var change = random.Next(1, 5); change > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (ClientHello.Read(bytes, out name) == HelloProgress.Complete)
                Assert.DoesNotContain(name, character => char.IsControl(character) || character > 126);
        }
    }

    private static async Task<byte[]> HelloAsync(string name)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var connecting = TlsClient.ConnectAsync((IPEndPoint)listener.LocalEndpoint, name);
        using var peer = await listener.AcceptSocketAsync();
        var read = new byte[8192];
        var count = await peer.ReceiveAsync(read);
        peer.Close();
        await Assert.ThrowsAnyAsync<Exception>(() => connecting);
        return read[..count];
    }

    private static async Task EchoAsync(RawConnection connection, string before)
    {
        for (; ; ) await connection.WriteAsync(before + await connection.ReadUntilAsync("\n"));
    }

    private static ResourceKey Key(string name) => new(TcpRouteKind.Name, "default", name);

    private static (string Host, int Port, int Weight) Of(IPEndPoint address) =>
        (address.Address.ToString(), address.Port, 100);

    // At a free port of loopback, unless the route says where.
    private static int Put(TestEdge edge, TcpRouteSpec spec, string name = "tcp")
    {
        if (spec.Listen.Length == 0) spec = spec with { Listen = $"127.0.0.1:{FreePort.Next()}" };
        edge.Snapshots.Put(TestAuthority.Resource(TcpRouteKind.Kind, Key(name), spec));
        return IPEndPoint.Parse(spec.Listen).Port;
    }

    private static async Task<WebInstance> SecureInstanceAsync(TestAuthority authority, string name)
    {
        var (chain, key) = authority.Sign([name]);
        using var leaf = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(chain, key);
        var served = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadPkcs12(
            leaf.Export(System.Security.Cryptography.X509Certificates.X509ContentType.Pkcs12), password: null);
        return await WebInstance.StartAsync(
            async context =>
            {
                context.Response.ContentLength = name.Length;
                await context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes(name));
            },
            _ => new System.Net.Security.SslServerAuthenticationOptions { ServerCertificate = served });
    }

    private static async Task<string> SayAsync(IPEndPoint address, string text)
    {
        using var client = await RawConnection.ToAsync(address);
        await client.WriteAsync(text);
        return await client.ReadToEndAsync();
    }

    private static async Task<string> FromAsync(string own, int port, string text)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(IPAddress.Parse(own), 0));
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
        using var client = new RawConnection(socket, CancellationToken.None);
        await client.WriteAsync(text);
        return await client.ReadToEndAsync();
    }

    private static Process Start(string program, params string[] arguments) => Process.Start(
        new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!; // Null only for shell execution.

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var run = Start(program, arguments);
        run.StandardInput.Close();
        var (output, error) = (run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync());
        await run.WaitForExitAsync();
        return (await output + await error).Trim();
    }

    private static async Task EndAsync(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync();
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Tests.Gateway.Listening;
using Groundwork.Tests.Support;
using Groundwork.Wire.Proxying;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Callers;

/// <summary>Who the caller is: through a real listener, with what proxies say and whom the listener believes.</summary>
public sealed class CallerTests
{
    // Peer is 127.0.0.1. Routes look at the caller by its address: 203.0.113.0/24 goes to one, all others to another.
    [Theory]
    // Nobody is believed.
    [InlineData("[]", 10, "x-forwarded-for", "X-Forwarded-For: 203.0.113.7", "127.0.0.1", "127.0.0.1")]
    // The peer is believed, and whom it names is the caller; what that one says itself is not passed on.
    [InlineData("127.0.0.1", 10, "x-forwarded-for", "X-Forwarded-For: 203.0.113.7", "203.0.113.7",
        "203.0.113.7, 127.0.0.1")]
    [InlineData("127.0.0.1", 10, "x-forwarded-for", "X-Forwarded-For: 198.51.100.1, 203.0.113.7", "203.0.113.7",
        "203.0.113.7, 127.0.0.1")]
    // Two proxies, and as many as may be believed.
    [InlineData("127.0.0.1,10.0.0.0/8", 10, "x-forwarded-for", "X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.1.1.1",
        "203.0.113.7", "203.0.113.7, 10.1.1.1, 127.0.0.1")]
    [InlineData("127.0.0.1,10.0.0.0/8", 1, "x-forwarded-for", "X-Forwarded-For: 203.0.113.7, 10.1.1.1", "10.1.1.1",
        "10.1.1.1, 127.0.0.1")]
    [InlineData("127.0.0.1", 10, "x-forwarded-for",
        "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 203.0.113.8:8080", "203.0.113.8",
        "203.0.113.8:8080, 127.0.0.1")]
    // What is no address is not believed.
    [InlineData("127.0.0.1", 10, "x-forwarded-for", "X-Forwarded-For: 203.0.113.7, unknown", "127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1", 10, "x-forwarded-for", "X-Forwarded-For: 1", "127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1", 10, "x-forwarded-for", "X-Forwarded-For: 203.0.113.7:x", "127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1", 10, "x-forwarded-for", "X-Forwarded-For: [2001:db8::7]:80", "2001:db8::7",
        "[2001:db8::7]:80, 127.0.0.1")]
    [InlineData("127.0.0.1", 10, "x-forwarded-for", "Forwarded: for=203.0.113.7\r\nX-Real-IP: 203.0.113.7",
        "127.0.0.1", "127.0.0.1")]
    // RFC 7239.
    [InlineData("127.0.0.1", 10, "forwarded", "Forwarded: for=6.6.6.6, for=203.0.113.7;proto=http;by=_x",
        "203.0.113.7", "203.0.113.7, 127.0.0.1")]
    [InlineData("127.0.0.1", 10, "forwarded", "Forwarded: For=\"[2001:db8::7]:4711\";host=\"a,b\"", "2001:db8::7",
        "2001:db8::7, 127.0.0.1")]
    [InlineData("127.0.0.1", 10, "forwarded", "Forwarded: for=203.0.113.7;for=6.6.6.6", "127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1", 10, "forwarded", "Forwarded: for=\"203.0.113.7", "127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1", 10, "forwarded", "Forwarded: for=_hidden", "127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1", 10, "forwarded", "X-Forwarded-For: 203.0.113.7", "127.0.0.1", "127.0.0.1")]
    [InlineData("[]", 10, "forwarded", "Forwarded: for=203.0.113.7", "127.0.0.1", "127.0.0.1")]
    // One header that names it.
    [InlineData("127.0.0.1", 10, "x-real-ip", "X-Real-IP: 203.0.113.7", "203.0.113.7", "203.0.113.7, 127.0.0.1")]
    [InlineData("127.0.0.1", 10, "CF-Connecting-IP", "CF-Connecting-IP: 203.0.113.7", "203.0.113.7",
        "203.0.113.7, 127.0.0.1")]
    [InlineData("10.0.0.0/8", 10, "CF-Connecting-IP", "CF-Connecting-IP: 203.0.113.7", "127.0.0.1", "127.0.0.1")]
    public async Task The_caller_is_whom_believed_proxies_name(
        string trusted, int hops, string source, string headers, string caller, string told)
    {
        var seen = await AskAsync(
            new CallerSpec(
                trusted == "[]" ? [] : trusted.Split(','), hops, source, Tell: ["x-real-ip", "forwarded"]),
            headers);

        Assert.Equal(caller, seen["X-Real-IP"]);
        Assert.Equal(told, seen["X-Forwarded-For"]);
        var quoted = caller.Contains(':', StringComparison.Ordinal) ? $"\"[{caller}]\"" : caller;
        Assert.Equal($"for={quoted};proto=http;host=\"localhost\"", seen["Forwarded"]);
        // From whom is not believed, the header that names callers does not get through.
        Assert.Equal(
            source == "CF-Connecting-IP" && trusted == "127.0.0.1", seen.ContainsKey("CF-Connecting-IP"));
        Assert.Equal(caller.StartsWith("203.0.113.", StringComparison.Ordinal) ? "doc" : "all", seen["Route"]);
    }

    [Theory]
    [InlineData("127.0.0.1", "x-forwarded-for", "X-Forwarded-Proto: https", "https")]
    [InlineData("[]", "x-forwarded-for", "X-Forwarded-Proto: https", "http")]
    [InlineData("127.0.0.1", "forwarded", "Forwarded: for=203.0.113.7;proto=https", "https")]
    [InlineData("127.0.0.1", "forwarded", "X-Forwarded-Proto: https", "http")]
    [InlineData("[]", "forwarded", "Forwarded: for=203.0.113.7;proto=https", "http")]
    public async Task The_scheme_survives_where_tls_ended_before_us(
        string trusted, string source, string headers, string scheme)
    {
        var seen = await AskAsync(new CallerSpec(trusted == "[]" ? [] : [trusted], Source: source), headers);

        Assert.Equal(scheme, seen["X-Forwarded-Proto"]);
        Assert.DoesNotContain("X-Real-IP", seen.Keys); // Nobody asked for it.
        Assert.DoesNotContain("Forwarded", seen.Keys);
    }

    [Theory]
    [InlineData("send-proxy")]
    [InlineData("send-proxy-v2")]
    [InlineData("send-proxy-v2-ssl")]
    public async Task Haproxy_tells_the_caller_by_the_proxy_protocol(string option)
    {
        var haproxy = Tools.Require("haproxy", "haproxy");
        await using var edge = await StartAsync(new CallerSpec(ProxyProtocol: ["127.0.0.1"], Tell: ["x-real-ip"]));
        using var directory = new TemporaryDirectory();
        var port = FreePort.Next();
        // The client comes from another address of loopback, so that it is not the proxy's own.
        var file = directory.Write("haproxy.cfg", $"""
            defaults
              mode tcp
              timeout connect 5s
              timeout client 20s
              timeout server 20s
            frontend in
              bind 127.0.0.1:{port}
              default_backend out
            backend out
              server edge {edge.Address} {option}

            """);
        using var process = Process.Start(new ProcessStartInfo(haproxy, ["-db", "-f", file])
        {
            UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true,
        })!; // Null only for shell execution.
        try
        {
            await Eventually.TrueAsync(async () => await CanConnectAsync(port), "haproxy listens");

            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0));
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
            using var client = new RawConnection(socket, CancellationToken.None);
            await client.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\nX-Real-IP: 6.6.6.6\r\n\r\n");
            var seen = Read(await client.ReadAnswerAsync());

            Assert.Equal("127.0.0.9", seen["X-Real-IP"]);
            Assert.Equal("127.0.0.9", seen["X-Forwarded-For"]);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        // Who is on the list must begin with it, and gets no answer otherwise.
        using var bare = await RawConnection.ToAsync(edge.Address);
        await bare.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.Equal("", await bare.ReadToEndAsync());
    }

    [Fact]
    public async Task A_stranger_cannot_speak_the_proxy_protocol()
    {
        await using var edge = await StartAsync(new CallerSpec(ProxyProtocol: ["10.0.0.0/8"]));
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync("PROXY TCP4 6.6.6.6 127.0.0.1 1 80\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_proxy_protocol_says_is_true_before_the_headers_of_the_connection_are()
    {
        // A CDN before the balancer that speaks the PROXY protocol: believed where it is trusted.
        await using var edge = await StartAsync(new CallerSpec(
            ["198.51.100.0/24"], ProxyProtocol: ["127.0.0.1"], Tell: ["x-real-ip"]));
        foreach (var (cdn, caller) in new[] { ("198.51.100.9", "203.0.113.7"), ("192.0.2.9", "192.0.2.9") })
        {
            using var client = await RawConnection.ToAsync(edge.Address);
            await client.WriteAsync($"PROXY TCP4 {cdn} 127.0.0.1 999 80\r\n");
            await client.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n");
            Assert.Equal(caller, Read(await client.ReadAnswerAsync())["X-Real-IP"]);
        }
    }

    [Fact]
    public void Headers_of_any_bytes_are_read_within_bounds()
    {
        var random = LongRun.Random();
        Span<byte> written = stackalloc byte[ProxyHeader.MaxWritten];
        var length = ProxyHeader.WriteBinary(
            IPEndPoint.Parse("203.0.113.7:1000"), IPEndPoint.Parse("192.0.2.1:443"), written);
        var good = written[..length].ToArray();
        Assert.Equal(ProxyProgress.Complete, ProxyHeader.Read(good, out var header, out var consumed));
        Assert.Equal(("203.0.113.7:1000", length), (header.Source!.ToString(), consumed)); // It is complete.
        for (var cut = 0; cut < good.Length; cut++)
            Assert.Equal(ProxyProgress.Incomplete, ProxyHeader.Read(good.AsSpan(0, cut), out _, out _));
        var line = "PROXY TCP4 203.0.113.7 192.0.2.1 1000 443\r\n"u8.ToArray();
        for (var round = 0; round < LongRun.Count(50_000, 5_000_000); round++)
        {
            var bytes = (round % 2 == 0 ? good : line).ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Array.Resize(ref bytes, random.Next(bytes.Length + 1));
            if (ProxyHeader.Read(bytes, out _, out consumed) == ProxyProgress.Complete)
                Assert.InRange(consumed, 1, bytes.Length);
        }
    }

    [Theory]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n")]
    [InlineData("PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY\r\n")]
    [InlineData("proxy UNKNOWN\r\n")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0031\u0011\0\u000c............")] // Version 3.
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\u000b...........")] // Too short for its family.
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0021\u0011\u00ff\u00ff")] // Longer than any.
    public void What_is_no_header_is_refused(string bytes) => Assert.Equal(
        ProxyProgress.Bad, ProxyHeader.Read(System.Text.Encoding.Latin1.GetBytes(bytes), out _, out _));

    private static async Task<TestEdge> StartAsync(CallerSpec caller)
    {
        var edge = await TestEdge.StartAsync();
        edge.Snapshots.Put(ListenerTests.Listener("http", new(Caller: caller)));
        var instance = await WebInstance.StartAsync(async context =>
        {
            foreach (var (name, value) in context.Request.Headers)
                if (name is not ("Host" or "Via" or "traceparent"))
                    await context.Response.WriteAsync($"\n{name}={value}");
        });
        edge.Owned.Add(instance);
        edge.RouteAll(spec => spec with { Response = Marked("all") }).Instances(instance.Address);
        edge.Snapshots.Put(Routes.Resource("doc", new RouteSpec(
            new MatchSpec(["localhost"], "/**", Clients: ["203.0.113.0/24"]), "service", Response: Marked("doc"))));
        return edge;
    }

    private static ResponseChange Marked(string route) => new(new FieldChange(
        Set: new Dictionary<string, string>(StringComparer.Ordinal) { ["Route"] = route }));

    private static async Task<ConcurrentDictionary<string, string>> AskAsync(CallerSpec caller, string headers)
    {
        await using var edge = await StartAsync(caller);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync($"GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n");
        return Read(await client.ReadAnswerAsync());
    }

    private static ConcurrentDictionary<string, string> Read(string answer)
    {
        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        var seen = new ConcurrentDictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in answer.Split('\n'))
            if (line.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
                && !line.Contains(": ", StringComparison.Ordinal))
                seen[line[..at].Trim()] = line[(at + 1)..].TrimEnd('\r');
            else if (line.StartsWith("Route: ", StringComparison.Ordinal)) seen["Route"] = line[7..].Trim();
        return seen;
    }

    private static async Task<bool> CanConnectAsync(int port)
    {
        using var probe = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await probe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

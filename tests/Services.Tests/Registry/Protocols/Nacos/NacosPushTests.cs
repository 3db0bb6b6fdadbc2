using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols.Nacos;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Registry.Protocols.Nacos;

public sealed class NacosPushTests
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(400);

    [Fact]
    public async Task A_change_is_pushed_to_the_caller_until_it_says_that_it_has_it()
    {
        await using var open = await OpenNacos.StartAsync();
        await open.RegisterAsync("serviceName=orders&ip=10.0.0.7&port=8080");
        using var socket = Bind(IPAddress.Loopback);
        // Whatever address it names, the datagram goes to where the call came from.
        await open.HostsAsync($"serviceName=orders&clusters=DEFAULT&udpPort={Port(socket)}&clientIP=192.0.2.1");
        await open.RegisterAsync("serviceName=orders&ip=10.0.0.8&port=8080");
        var (push, from) = await ReceiveAsync(socket, push => Hosts(push) == 2);
        var data = Data(push);
        Assert.Equal("DEFAULT", data.GetProperty("clusters").GetString());
        Assert.Equal("DEFAULT_GROUP@@orders", data.GetProperty("name").GetString());
        // Not acknowledged: the same comes again.
        var (again, _) = await ReceiveAsync(socket, _ => true);
        Assert.Equal(Number(push), Number(again));
        await AcknowledgeAsync(socket, Number(push), from);
        await Eventually.TrueAsync(async () => !await HearsAsync(socket), "the push has ended");
        await open.MustAsync("DELETE", "v1/ns/instance", "serviceName=orders&ip=10.0.0.7&port=8080");
        var (next, _) = await ReceiveAsync(socket, push => Hosts(push) == 1);
        Assert.True(Number(next) > Number(push));
    }

    [Fact]
    public async Task A_long_list_is_compressed_and_another_cluster_s_subscriber_has_its_own()
    {
        await using var open = await OpenNacos.StartAsync();
        using var socket = Bind(IPAddress.Loopback);
        await open.HostsAsync($"serviceName=orders&udpPort={Port(socket)}");
        await open.HostsAsync($"serviceName=orders&clusters=blue&udpPort={Port(socket)}");
        for (var port = 1; port <= 20; port++)
            await open.RegisterAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"serviceName=orders&ip=10.0.0.7&port={8000 + port}&clusterName={(port > 18 ? "blue" : "green")}"));
        await ReceiveAsync(socket, push => Clusters(push) == "blue" && Hosts(push) == 2);
        var (all, _) = await ReceiveAsync(socket, push => Clusters(push).Length == 0 && Hosts(push) == 20);
        Assert.Equal(20, Hosts(all));
    }

    [Fact]
    public async Task Subscribers_are_listed_and_a_port_of_a_service_is_not_taken()
    {
        await using var open = await OpenNacos.StartAsync();
        await open.RegisterAsync("serviceName=orders&ip=10.0.0.7&port=8080");
        foreach (var port in (int[])[0, 53, 70_000])
        {
            using var polled = JsonDocument.Parse(await open.MustAsync(
                "GET", "v1/ns/instance/list",
                string.Create(CultureInfo.InvariantCulture, $"serviceName=orders&udpPort={port}")));
            // Who is not pushed to is told to look more often.
            Assert.Equal(3_000, polled.RootElement.GetProperty("cacheMillis").GetInt32());
        }
        Assert.Equal(0, await CountAsync(open));
        using var socket = Bind(IPAddress.Loopback);
        using var pushed = JsonDocument.Parse(await open.MustAsync(
            "GET", "v1/ns/instance/list",
            string.Create(CultureInfo.InvariantCulture, $"serviceName=orders&udpPort={Port(socket)}")));
        Assert.Equal(10_000, pushed.RootElement.GetProperty("cacheMillis").GetInt32());
        Assert.Equal(1, await CountAsync(open));
    }

    [Fact]
    public async Task A_list_that_is_empty_is_not_pushed()
    {
        await using var open = await OpenNacos.StartAsync();
        using var socket = Bind(IPAddress.Loopback);
        await open.HostsAsync($"serviceName=orders&udpPort={Port(socket)}");
        await open.RegisterAsync("serviceName=orders&ip=10.0.0.7&port=8080");
        await open.MustAsync("DELETE", "v1/ns/instance", "serviceName=orders&ip=10.0.0.7&port=8080");
        var (last, _) = await ReceiveAsync(socket, push => !Host(push).GetProperty("healthy").GetBoolean());
        Assert.Equal(1, Hosts(last));
    }

    [Fact]
    public void An_acknowledgement_counts_from_the_subscriber_alone_and_subscriptions_are_bounded_and_end()
    {
        var time = new ManualTimeProvider();
        var book = new NacosSubscriptions(time);
        var peer = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 5000);
        NacosSubscription? made = null;
        Assert.True(See(book, peer, "orders", out var isFirst, one => made = one));
        Assert.True(isFirst);
        Assert.NotNull(made);
        book.Begin(made, new PendingPush(1, new byte[1]));
        Assert.False(book.Acknowledge(1, new IPEndPoint(IPAddress.Parse("192.0.2.8"), 5000)));
        Assert.False(book.Acknowledge(2, peer));
        for (var attempt = 2; attempt <= NacosLimits.MaxPushAttempts; attempt++)
        {
            time.Advance(NacosLimits.PushAgainAfter);
            Assert.Single(book.TakeDue());
        }
        time.Advance(NacosLimits.PushAgainAfter);
        Assert.Empty(book.TakeDue()); // Given up.
        Assert.False(book.Acknowledge(1, peer));
        for (var more = 1; more < NacosLimits.MaxSubscriptionsPerAddress; more++)
            Assert.True(See(book, peer, FormattableString.Invariant($"s{more}"), out _));
        Assert.False(See(book, peer, "one-more", out _));
        Assert.True(See(book, new IPEndPoint(IPAddress.Parse("192.0.2.9"), 5000), "one-more", out _));
        time.Advance(NacosLimits.SubscriptionLife);
        Assert.Equal(NacosLimits.MaxSubscriptionsPerAddress + 1, book.Expire().Count);
        Assert.Equal(0, book.Count);
    }

    private static bool See(
        NacosSubscriptions book, IPEndPoint peer, string service, out bool isFirst,
        Action<NacosSubscription>? made = null)
    {
        var key = new SubscriptionKey(peer, new ServiceKey("default", "default", service), "");
        return book.See(key, Make, out isFirst);

        NacosSubscription Make()
        {
            var one = new NacosSubscription(key, IPAddress.Loopback, "", "");
            made?.Invoke(one);
            return one;
        }
    }

    private static async Task<int> CountAsync(OpenNacos open)
    {
        using var json = JsonDocument.Parse(
            await open.MustAsync("GET", "v1/ns/service/subscribers", "serviceName=orders"));
        return json.RootElement.GetProperty("count").GetInt32();
    }

    private static Socket Bind(IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port; // Bound.

    /// <summary>The next push that is as wanted; those before it are passed over.</summary>
    private static async Task<(JsonElement Push, EndPoint From)> ReceiveAsync(
        Socket socket, Func<JsonElement, bool> wanted)
    {
        using var patience = new CancellationTokenSource(Eventually.Patience, TimeProvider.System);
        var buffer = new byte[65_536];
        while (true)
        {
            var received = await socket.ReceiveFromAsync(
                buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), patience.Token);
            var push = Read(buffer.AsSpan(0, received.ReceivedBytes));
            Assert.Equal("dom", push.GetProperty("type").GetString());
            if (wanted(push)) return (push, received.RemoteEndPoint);
        }
    }

    private static async Task<bool> HearsAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(
            NacosLimits.PushAgainAfter + NacosLimits.PushAgainAfter + Quiet, TimeProvider.System);
        try
        {
            await socket.ReceiveFromAsync(
                new byte[65_536], SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), patience.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task AcknowledgeAsync(Socket socket, long number, EndPoint to) =>
        await socket.SendToAsync(
            Encoding.UTF8.GetBytes(string.Create(
                CultureInfo.InvariantCulture,
                $"{{\"type\":\"push-ack\",\"lastRefTime\":{number},\"data\":\"\"}}")),
            SocketFlags.None, to);

    private static JsonElement Read(ReadOnlySpan<byte> datagram)
    {
        if (datagram is not [0x1F, 0x8B, ..])
        {
            using var plain = JsonDocument.Parse(datagram.ToArray());
            Assert.True(datagram.Length < NacosLimits.CompressedFrom);
            return plain.RootElement.Clone();
        }
        using var zip = new GZipStream(new MemoryStream(datagram.ToArray()), CompressionMode.Decompress);
        using var packed = JsonDocument.Parse(zip);
        return packed.RootElement.Clone();
    }

    private static JsonElement Data(JsonElement push)
    {
        using var data = JsonDocument.Parse(push.GetProperty("data").GetString() ?? "");
        return data.RootElement.Clone();
    }

    private static long Number(JsonElement push) => push.GetProperty("lastRefTime").GetInt64();

    private static int Hosts(JsonElement push) => Data(push).GetProperty("hosts").GetArrayLength();

    private static JsonElement Host(JsonElement push) => Data(push).GetProperty("hosts")[0];

    private static string Clusters(JsonElement push) => Data(push).GetProperty("clusters").GetString() ?? "";
}

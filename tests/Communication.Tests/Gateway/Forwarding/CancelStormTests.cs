using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Tests.Gateway.Correct;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Forwarding;

/// <summary>
/// Clients that go away at every moment of a request, over each protocol, a few dozen at once: when the storm is over,
/// everything that is counted is back where it was. Runs alone: handles and memory are the whole process's.
/// </summary>
[CollectionDefinition(nameof(CancelStormTests), DisableParallelization = true)]
[Collection(nameof(CancelStormTests))]
public sealed class CancelStormTests
{
    private const int AtOnce = 32;

    /// <summary>
    /// Bytes that may be left, of whatever size the storm was: what the runtime is slow with, and what pools keep more
    /// when a storm happens to be denser. The whole finds 750 bytes of each client.
    /// </summary>
    private const long Slack = 6 * 1024 * 1024;

    private static readonly (string, string)[] Endless = Head("GET", "/endless");
    private static readonly (string, string)[] Never = Head("GET", "/never");
    private static readonly (string, string)[] Upload = Head("POST", "/upload");

    public static TheoryData<string> Storms =>
    [
        "mid-head", "mid-body", "mid-chunk", "waiting", "mid-answer", "half-read", "web-socket", "h2-reset", "h2-body",
        "h2-answer", "h2-gone",
    ];

    [Theory]
    [MemberData(nameof(Storms))]
    public async Task A_storm_of_clients_that_go_away_leaves_nothing(string storm)
    {
        var underWay = 0;
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            Interlocked.Increment(ref underWay);
            try
            {
                await AnswerAsync(context);
            }
            finally
            {
                Interlocked.Decrement(ref underWay);
            }
        });
        // Kept connections to the instance are handles, too: here they are closed soon.
        await using var edge = await TestEdge.StartAsync(
            new GatewayOptions { UpstreamIdle = TimeSpan.FromMilliseconds(500) });
        edge.Registry.Keeps = false;
        edge.RouteAll().Instances(instance.Address);
        // Twice the same: after the first one pools are about as full as they get, and code is compiled.
        var count = LongRun.Count(usual: 300, whole: 8_000);
        await RunAsync(edge.Address, storm, count);
        var before = await SettledAsync(edge, () => underWay);

        await RunAsync(edge.Address, storm, count);

        await Eventually.PassesAsync(async () =>
        {
            var after = await SettledAsync(edge, () => underWay);
            Assert.True(
                after.Handles <= before.Handles + 2,
                $"handles: {before.Handles} and then {after.Handles}: {string.Join(", ", HandlesByKind())}");
            Assert.InRange(after.Memory - before.Memory, long.MinValue, Slack);
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{storm}: {count} cancelled; handles {before.Handles} and {after.Handles}, managed memory "
                + $"{before.Memory / 1024} KiB and {after.Memory / 1024} KiB; exchanges in use {after.Exchanges}"));
        });
        // And it serves as before.
        Assert.Equal("ok", await edge.Client.GetStringAsync("/"));
    }

    private static async Task<(int Handles, long Memory, int Exchanges)> SettledAsync(TestEdge edge, Func<int> underWay)
    {
        await Eventually.TrueAsync(
            () => edge.Module.UnderWay == 0 && edge.Module.Held is { Connections: 0, Exchanges: 0, Waits: 0 }
                && underWay() == 0,
            "nothing is under way, here or at the instance, and nobody is connected or waited for");
        await Eventually.TrueAsync(
            () => OpenTo(edge) == 0, "connections to the instance are closed");
        return (HandlesByKind().Values.Sum(), GC.GetTotalMemory(forceFullCollection: true),
            edge.Module.Held.Exchanges);
    }

    // What they lead to, without the numbers: "socket: 12, anon_inode: 3". Not files: the runtime keeps two handles of
    // each library that it loads, when it is first needed.
    private static Dictionary<string, int> HandlesByKind() => new DirectoryInfo("/proc/self/fd").GetFiles()
        .Select(handle => handle.LinkTarget ?? "gone")
        .Where(target => !target.StartsWith('/'))
        .GroupBy(target => target.Split(":[")[0], StringComparer.Ordinal)
        .ToDictionary(kind => kind.Key, kind => kind.Count(), StringComparer.Ordinal);

    private static int OpenTo(TestEdge edge)
    {
        var text = new Kernel.Hosting.Metering.MetricsText();
        edge.Module.Seen.Figures.Write(text);
        return Encoding.UTF8.GetString(text.Bytes.Span).Split('\n').Where(line =>
                line.StartsWith("groundwork_gateway_instance_connections{", StringComparison.Ordinal))
            .Sum(line => int.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    private static async Task RunAsync(IPEndPoint address, string storm, int count)
    {
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) is >= 0 and var number)
            {
                if (storm.StartsWith("h2-", StringComparison.Ordinal)) await CancelStreamsAsync(address, storm);
                else await CancelAsync(address, storm, number);
            }
        })));
    }

    // Half of them close as programs do that end, half with a reset.
    private static async Task CancelAsync(IPEndPoint address, string storm, int number)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address);
        var (sent, read) = storm switch
        {
            "mid-head" => ("GET /endless HTTP/1.1\r\nHost: localhost\r\nX-Half: y", 0),
            "mid-body" => ("POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nbegun", 0),
            "mid-chunk" => (
                "POST /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n9\r\n", 0),
            "waiting" => ("GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n", 0),
            "mid-answer" => ("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n", 50_000),
            "half-read" => ("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\nGET /never HTTP/1.1\r\nHost", 200),
            _ => (
                "GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 100),
        };
        await socket.SendAsync(Encoding.ASCII.GetBytes(sent));
        var buffer = new byte[16 * 1024];
        for (var first = true; read > 0; first = false)
        {
            var some = await socket.ReceiveAsync(buffer).WaitAsync(Eventually.Patience, TimeProvider.System);
            var text = Encoding.Latin1.GetString(buffer, 0, some);
            if (first) Assert.Matches("^HTTP/1.1 (200|101) ", text);
            Assert.True(some > 0, $"{storm}: the gateway closed first");
            read -= some;
        }
        if (number % 2 == 0) socket.LingerState = new LingerOption(true, 0);
        if (number % 3 == 0) await Task.Yield();
        socket.Close();
    }

    // Few streams of each connection: who resets more than it lets end is cut for that alone.
    private static async Task CancelStreamsAsync(IPEndPoint address, string storm)
    {
        using var connection = await Http2Connection.ToAsync(address);
        for (var id = 1; id < 8; id += 2)
        {
            await connection.SendHeadersAsync(
                id, storm != "h2-body", storm switch { "h2-body" => Upload, "h2-answer" => Endless, _ => Never });
            if (storm == "h2-body") await connection.SendDataAsync(id, endStream: false, new byte[1_000]);
            if (storm == "h2-answer")
                await connection.ReadUntilAsync(frame => frame is { Type: Http2Frame.Data, Payload.Length: > 0 });
            if (storm != "h2-gone") await connection.SendAsync(Http2Frame.Reset, 0, id, [0, 0, 0, 8]);
        }
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        var gone = context.RequestAborted;
        try
        {
            switch (context.Request.Path.Value)
            {
                case "/upload":
                    await context.Request.Body.CopyToAsync(Stream.Null, gone);
                    break;
                case "/never":
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, gone);
                    break;
                case "/endless":
                    var some = new byte[8 * 1024];
                    while (!gone.IsCancellationRequested)
                    {
                        await context.Response.Body.WriteAsync(some, gone);
                        await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, gone); // Others work, too.
                    }
                    break;
                case "/socket":
                    using (var socket = await context.WebSockets.AcceptWebSocketAsync())
                        await socket.ReceiveAsync(new byte[100], gone);
                    break;
                default:
                    await context.Response.WriteAsync("ok", gone);
                    break;
            }
        }
        catch (Exception end) when (end is OperationCanceledException or IOException
            or System.Net.WebSockets.WebSocketException or BadHttpRequestException)
        {
            // The gateway has told that its client is gone.
        }
    }

    private static (string, string)[] Head(string method, string path) =>
        [(":method", method), (":scheme", "http"), (":authority", "localhost"), (":path", path)];
}

using System.Net.Sockets;
using System.Text;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>
/// Whole exchanges with broken requests and broken answers, over real connections: none hangs, and when all are over
/// nothing is held. <c>TESTS_COUNT</c> says how many.
/// </summary>
public sealed class ExchangeFuzzTests
{
    private const int Usual = 400;
    private const int Whole = 20_000;
    private const int AtOnce = 16;

    private static readonly string[] Requests =
    [
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;a=b\r\nabc\r\n0\r\n"
            + "X-A: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes",
        "HEAD / HTTP/1.0\r\n\r\n",
    ];

    private static readonly string[] Answers =
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n\r\n",
    ];

    private static readonly string[] Pieces =
    [
        "\r\n", "\n", "\r", "\0", " ", ":", "\r\n\r\n", "0\r\n\r\n", "5\r\n", "chunked",
        "Content-Length: 3\r\n", "\u00ff",
    ];

    [Fact]
    public async Task No_broken_exchange_hangs_or_leaves_anything_behind()
    {
        var random = LongRun.Random();
        var count = LongRun.Count(Usual, Whole);
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadUntilAsync("\r\n\r\n");
            string answer;
            lock (random) answer = Mutate(Answers[random.Next(Answers.Length)], random);
            await connection.WriteAsync(answer);
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        var answered = 0;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (_, _) =>
            {
                string request;
                lock (random) request = Mutate(Requests[random.Next(Requests.Length)], random);
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(edge.Address);
                try
                {
                    await socket.SendAsync(Encoding.Latin1.GetBytes(request));
                    // Half a request would wait for its rest, and so long does nobody here.
                    using var patience = new CancellationTokenSource(
                        TimeSpan.FromMilliseconds(100), TimeProvider.System);
                    if (await socket.ReceiveAsync(new byte[4096], patience.Token) > 0)
                        Interlocked.Increment(ref answered);
                }
                catch (Exception end) when (end is SocketException or OperationCanceledException)
                {
                    // Refused, or cut, or still waited for: the client goes away.
                }
            });
        await Eventually.TrueAsync(() => edge.Module.WaitsForInstances == 0, "nothing is waited for");
        await Eventually.TrueAsync(() => edge.Module.UnderWay == 0, "no request is under way");
        Assert.InRange(answered, count / 4, count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{count} exchanges, {answered} answered");
        await using var sound = await WebInstance.NamedAsync("ok");
        edge.Instances(sound.Address);
        Assert.Equal("ok", await edge.Client.GetStringAsync("/"));
    }

    private static string Mutate(string text, Random random)
    {
        var changed = new StringBuilder(text);
        for (var times = random.Next(3); times > 0 && changed.Length > 0; times--)
        {
            var at = random.Next(changed.Length);
            switch (random.Next(4))
            {
                case 0: changed[at] = (char)random.Next(256); break;
                case 1: changed.Remove(at, Math.Min(random.Next(1, 8), changed.Length - at)); break;
                case 2: changed.Insert(at, Pieces[random.Next(Pieces.Length)]); break;
                default: changed.Length = at; break;
            }
        }
        return changed.ToString();
    }
}

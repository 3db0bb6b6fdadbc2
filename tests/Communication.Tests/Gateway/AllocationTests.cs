using System.Net.Sockets;
using Groundwork.Communication.Gateway;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>Runs alone: what is allocated is counted for the whole process.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
#if DEBUG
    /// <summary>Without optimisation the compiler makes every asynchronous method's state an object.</summary>
    private const int MaxBytes = 4096;
#else
    /// <summary>The bound that the gateway promises.</summary>
    private const int MaxBytes = 2048;
#endif

    /// <summary>By which two counts of the same differ; three limits that each made an object would be more.</summary>
    private const int SlackBytes = 64;

    private const int WarmUp = 2_000;
    private const int Measured = 5_000;

    private static readonly byte[] Request =
    [
        .. "GET /api/items/42?page=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nAccept: application/json\r\n"u8,
        .. "Accept-Encoding: gzip\r\nCookie: a=1; b=2\r\n\r\n"u8,
    ];

    private static readonly byte[] Answer =
        [.. "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"hello\":\"w\"}"u8];

    [Fact]
    public async Task A_bare_request_allocates_little()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        // Both peers block on threads of their own and allocate nothing: what is left is the gateway's.
        var instance = new Thread(() => Serve(listener)) { IsBackground = true };
        instance.Start();
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Keeps = false;
        edge.RouteAll().Instances((System.Net.IPEndPoint)listener.LocalEndPoint!);
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(edge.Address);

        var bytes = Measure(client);
        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes} bytes a request");
        Assert.InRange(bytes, 0, MaxBytes);

        // Limits of a caller that is known cost no memory.
        edge.RouteAll(spec => spec with
        {
            Limits =
            [
                new LimitSpec("client", ["client"], new BucketSpec(100_000)),
                new LimitSpec("mix", ["client", "cookie:a", "query:page"], Window: new WindowSpec(100_000)),
                new LimitSpec("at-once", ["client"], Concurrent: 10),
            ],
        });
        var limited = Measure(client);
        TestContext.Current.TestOutputHelper?.WriteLine($"{limited} bytes a request with limits");
        // What completes at once, and so makes no object, is not the same in every count: one before and one after.
        edge.RouteAll();
        var again = Measure(client);
        TestContext.Current.TestOutputHelper?.WriteLine($"{again} bytes a request without them");
        Assert.InRange(limited, 0, Math.Max(bytes, again) + SlackBytes);
    }

    internal static long Measure(Socket client, byte[]? request = null)
    {
        Ask(client, WarmUp, request);
        // What the process does besides, by its timers, is in every count: the least of three.
        var least = long.MaxValue;
        for (var count = 0; count < 3; count++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            Ask(client, Measured, request);
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / Measured);
        }
        return least;
    }

    internal static void Ask(Socket client, int count, byte[]? request = null)
    {
        var buffer = new byte[4096];
        for (var asked = 0; asked < count; asked++)
        {
            client.Send(request ?? Request);
            var filled = 0;
            while (!buffer.AsSpan(0, filled).EndsWith("}"u8))
            {
                var read = client.Receive(buffer, filled, buffer.Length - filled, SocketFlags.None);
                if (read == 0) throw new IOException("The gateway closed.");
                filled += read;
            }
            Assert.Equal((byte)'2', buffer[9]);
        }
    }

    internal static void Serve(Socket listener)
    {
        try
        {
            using var socket = listener.Accept();
            socket.NoDelay = true;
            var buffer = new byte[4096];
            while (true)
            {
                var filled = 0;
                while (!buffer.AsSpan(0, filled).EndsWith("\r\n\r\n"u8))
                {
                    var read = socket.Receive(buffer, filled, buffer.Length - filled, SocketFlags.None);
                    if (read == 0) return;
                    filled += read;
                }
                socket.Send(Answer);
            }
        }
        catch (SocketException)
        {
            // The test is over.
        }
    }
}

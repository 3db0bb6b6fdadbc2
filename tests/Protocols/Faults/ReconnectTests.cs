using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.Faults;

/// <summary>
/// A node that was killed comes back, and with it everybody who had waited there, within a second: each is let in,
/// waits again, and hears of the next change.
/// </summary>
public sealed class ReconnectTests
{
    private const int Usual = 1_000;
    private const int Whole = 5_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task Pollers_of_Nacos_come_back_at_once() => ComeBackAsync(
        (version, _) =>
        {
#pragma warning disable CA5351 // The protocol compares by it.
            var hash = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes($"version={version}\n")));
#pragma warning restore CA5351
            var body = "Listening-Configs="
                + Uri.EscapeDataString($"application.properties\u0002orders\u0002{hash}\u0001");
            return "POST /nacos/v1/cs/configs/listener HTTP/1.1\r\nHost: localhost\r\nLong-Pulling-Timeout: 60000\r\n"
                + "Content-Type: application/x-www-form-urlencoded\r\n"
                + $"Content-Length: {body.Length}\r\n\r\n{body}";
        });

    [Fact]
    public Task Blocking_queries_of_Consul_come_back_at_once() => ComeBackAsync(
        (_, indexes) =>
            $"GET /v1/kv/watched?index={indexes["v1/kv/watched"]}&wait=60s HTTP/1.1\r\nHost: localhost\r\n\r\n");

    private static async Task ComeBackAsync(Func<int, IReadOnlyDictionary<string, long>, string> request)
    {
        var count = LongRun.Count(Usual, Whole);
        await using var node = await FaultNode.StartAsync();
        var indexes = await node.IndexesAsync();
        var sent = Encoding.ASCII.GetBytes(request(1, indexes));
        var waiting = await ConnectAsync(node, count, sent);
        await NobodyIsAnsweredAsync(waiting);

        await node.KillAsync();
        await Task.WhenAll(waiting.Select(async one => Assert.Equal(0, await one.CloseAsync())));
        await node.RunAsync();

        var began = TimeProvider.System.GetTimestamp();
        var back = await ConnectAsync(node, count, sent);
        var connected = TimeProvider.System.GetElapsedTime(began);
        await NobodyIsAnsweredAsync(back);
        began = TimeProvider.System.GetTimestamp();
        await node.PublishAsync(2);
        var statuses = await Task.WhenAll(back.Select(one => one.Answer)).WaitAsync(Patience, TimeProvider.System);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} were back in {connected.TotalMilliseconds:F0} ms and heard of the change in "
            + $"{TimeProvider.System.GetElapsedTime(began).TotalMilliseconds:F0} ms; the process has "
            + $"{ResidentBytes(node.Process.Id) >> 20} MB");
        Assert.All(statuses, status => Assert.Equal(200, status));
        foreach (var (what, index) in await node.IndexesAsync()) Assert.True(index >= indexes[what], what);
        await Task.WhenAll(back.Select(one => one.CloseAsync()));
    }

    // All at once, as after a restart of the server that they were all waiting at.
    private static Task<Waiter[]> ConnectAsync(FaultNode node, int count, byte[] sent) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(_ => Waiter.StartAsync(node.Api.Port, sent)));

    // They wait; an answer now would be a client that asks again at once, and again.
    private static async Task NobodyIsAnsweredAsync(Waiter[] waiting)
    {
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, Cancel);
        Assert.DoesNotContain(waiting, one => one.Answer.IsCompleted);
    }

    private static long ResidentBytes(int pid)
    {
        using var process = Process.GetProcessById(pid);
        return process.WorkingSet64;
    }

    /// <summary>A client that has sent its request and reads the head of what is answered.</summary>
    private sealed class Waiter : IDisposable
    {
        private readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp);

        /// <summary>The status; 0 when the connection ended first.</summary>
        public Task<int> Answer { get; private set; } = Task.FromResult(0);

        public static async Task<Waiter> StartAsync(int port, byte[] sent)
        {
            var waiter = new Waiter();
            await waiter.socket.ConnectAsync(IPAddress.Loopback, port, Cancel);
            await waiter.socket.SendAsync(sent, Cancel);
            waiter.Answer = waiter.ReadAsync();
            return waiter;
        }

        public async Task<int> CloseAsync()
        {
            var status = await Answer;
            Dispose();
            return status;
        }

        public void Dispose() => socket.Dispose();

        private async Task<int> ReadAsync()
        {
            var buffer = new byte[512];
            try
            {
                var read = await socket.ReceiveAsync(buffer);
                // "HTTP/1.1 200"
                return read < 12 ? 0 : int.Parse(buffer.AsSpan(9, 3), CultureInfo.InvariantCulture);
            }
            catch (SocketException)
            {
                return 0;
            }
        }
    }
}

using System.Net;
using System.Net.Sockets;

namespace Groundwork.Tests.EndToEnd.Settings;

/// <summary>
/// A TCP line to a port of this machine that can be cut as networks are: bytes stop, connections stay open, and nobody
/// is told.
/// </summary>
internal sealed class CutLine : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = new();
    private readonly int target;
    private readonly Task accepting;
    private TaskCompletionSource open = Opened();

    public CutLine(int target)
    {
        this.target = target;
        listener.Start();
        accepting = AcceptAsync();
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>Nothing passes any more, in either direction.</summary>
    public void Cut() => Interlocked.Exchange(
        ref open, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>What was held back passes, and all that follows.</summary>
    public void Heal() => Volatile.Read(ref open).TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Stop();
        await accepting;
        ending.Dispose();
    }

    private static TaskCompletionSource Opened()
    {
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        opened.SetResult();
        return opened;
    }

    private async Task AcceptAsync()
    {
        var lines = new List<Task>();
        try
        {
            while (true) lines.Add(ConnectAsync(await listener.AcceptTcpClientAsync(ending.Token)));
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(lines);
        }
    }

    private async Task ConnectAsync(TcpClient near)
    {
        using var from = near;
        using var to = new TcpClient();
        try
        {
            await PassesAsync();
            await to.ConnectAsync(IPAddress.Loopback, target, ending.Token);
            await Task.WhenAny(
                PumpAsync(from.GetStream(), to.GetStream()), PumpAsync(to.GetStream(), from.GetStream()));
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException or SocketException)
        {
            // One end has gone, and with it the line.
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var read = await from.ReadAsync(buffer, ending.Token);
            if (read == 0) return;
            await PassesAsync();
            await to.WriteAsync(buffer.AsMemory(0, read), ending.Token);
        }
    }

    private Task PassesAsync() => Volatile.Read(ref open).Task.WaitAsync(ending.Token);
}

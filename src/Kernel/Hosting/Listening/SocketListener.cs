using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>Accepts connections at one address and hands them over as sockets.</summary>
internal sealed partial class SocketListener : IDisposable
{
    /// <summary>When the process has no more open files: until some have been closed.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Action<Socket> take;
    private readonly Action closed;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stopping = new();
    private int disposed; // Interlocked.

    public SocketListener(
        string name, Socket socket, Action<Socket> take, Action closed, TimeProvider time, ILogger logger)
    {
        Name = name;
        Socket = socket;
        this.take = take;
        this.closed = closed;
        this.time = time;
        this.logger = logger;
        Address = (IPEndPoint)socket.LocalEndPoint!; // Never null once bound.
        socket.Listen(ListenerLimits.Backlog);
        LogListening(name, Address);
        _ = AcceptAsync(stopping.Token);
    }

    public string Name { get; }

    public Socket Socket { get; }

    public IPEndPoint Address { get; }

    /// <summary>Takes no more connections; those that are open go on.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        stopping.Cancel();
        Socket.Dispose();
        stopping.Dispose();
        closed();
    }

    private async Task AcceptAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                take(await Socket.AcceptAsync(cancellationToken));
            }
            catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException fault)
            {
                LogNotAccepted(Name, fault.Message);
                await Task.Delay(Pause, time, CancellationToken.None);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Listener {Listener} is open on {Address} (tcp)")]
    private partial void LogListening(string listener, IPEndPoint address);

    [LoggerMessage(2, LogLevel.Warning, "Listener {Listener} could not accept a connection: {Why}")]
    private partial void LogNotAccepted(string listener, string why);
}

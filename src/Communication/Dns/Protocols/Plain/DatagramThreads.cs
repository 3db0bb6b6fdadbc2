using System.Net;
using System.Net.Sockets;
using Groundwork.Wire.Dns;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Dns.Protocols.Plain;

/// <summary>Threads that wait in a bound UDP socket, until disposed; the socket stays open.</summary>
/// <remarks>
/// They wait in the socket itself: most of what a question costs is waking somebody, and by way of the pool it would be
/// two. Nobody may use the socket asynchronously besides: it would then be one that never waits. And nobody may close
/// it before they are gone: one that another process has too is not ended for who waits in it, and the framework
/// waits for those.
/// </remarks>
internal sealed partial class DatagramThreads : IDisposable
{
    /// <summary>Bytes that are taken of a datagram; what is longer is no question.</summary>
    private const int DatagramBytes = 4_096;

    /// <summary>After a fault of the socket, so that a lasting one does not take the processor.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private static readonly int Count = Math.Max(2, Environment.ProcessorCount);

    private readonly Socket socket;
    private readonly IPEndPoint listener;
    private readonly Handler handle;
    private readonly ILogger logger;
    private readonly Task[] threads;
    private readonly ManualResetEventSlim ending = new();

    public DatagramThreads(Socket socket, Handler handle, ILogger logger)
    {
        this.socket = socket;
        this.handle = handle;
        this.logger = logger;
        // Asked here: the socket may be closed before a thread has had its first turn.
        listener = (IPEndPoint)socket.LocalEndPoint!; // Bound.
        threads =
        [
            .. Enumerable.Range(0, Count).Select(_ => Task.Factory.StartNew(
                ReceiveAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)),
        ];
    }

    public delegate void Handler(Datagram datagram);

    /// <summary>
    /// Returns when the last thread has left the socket: each answers the question that it has, and the next one waits
    /// in the socket for whoever has it then.
    /// </summary>
    public void Dispose()
    {
        ending.Set();
        while (!Task.WaitAll(threads, TimeSpan.Zero))
        {
            Wake();
            Task.WaitAll(threads, Pause);
        }
    }

    private void ReceiveAll()
    {
        var family = new IPEndPoint(listener.Address, 0);
        var from = new SocketAddress(socket.AddressFamily);
        var question = new byte[DatagramBytes];
        var answer = new byte[DnsLimits.MaxDatagramBytes];
        while (!ending.IsSet)
        {
            try
            {
                var length = socket.ReceiveFrom(question, SocketFlags.None, from);
                if (ending.IsSet && length == 0) return;
                var peer = ((IPEndPoint)family.Create(from)).Address;
                handle(new Datagram(socket, question.AsSpan(0, length), answer, from, peer, listener.Address));
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException fault)
            {
                // A socket that closes while somebody waits in it has a fault before it is gone.
                if (ending.IsSet || socket.SafeHandle.IsClosed) return;
                LogSocket(fault.Message);
                ending.Wait(Pause);
            }
            catch (Exception failure)
            {
                // One question that we cannot answer is not to end the answering of others.
                LogFailed(failure);
            }
        }
    }

    // Who waits in the socket hears of the end by a datagram of no bytes; each takes one, and while its buffer is full
    // none is needed. One that is left over is no question for whoever has the socket next.
    private void Wake()
    {
        if (socket.SafeHandle.IsClosed) return;
        var address = listener.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : listener.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : listener.Address;
        try
        {
            using var waker = new Socket(listener.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            for (var one = 0; one < Count; one++) waker.SendTo([], new IPEndPoint(address, listener.Port));
        }
        catch (SocketException fault)
        {
            LogSocket(fault.Message); // Its address may be gone for a moment; the next turn tries again.
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The socket for questions over UDP has a fault: {Why}")]
    private partial void LogSocket(string why);

    [LoggerMessage(2, LogLevel.Error, "The answer to a datagram failed inside the platform")]
    private partial void LogFailed(Exception failure);
}

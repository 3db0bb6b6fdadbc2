using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Groundwork.Communication.Dns.Answering;
using Groundwork.Wire.Dns;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Dns.Protocols.Plain;

/// <summary>DNS over UDP and TCP (RFC 1035, 7766, 6891).</summary>
internal sealed partial class DnsServer : IAsyncDisposable
{
    /// <summary>Connections at once: resolvers keep one each, and close it.</summary>
    private const int MaxConnections = 1_000;

    /// <summary>Connections of one address that is not this machine.</summary>
    private const int MaxConnectionsPerAddress = 50;

    private readonly NameService names;
    private readonly DnsFigures figures;
    private readonly AnswerRates rates;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<Task, bool> running = new();
    private readonly ConcurrentBag<DatagramThreads> receiving = [];
    private readonly ConcurrentDictionary<IPAddress, int> connectionsOf = new();
    private int connections; // Interlocked.

    public DnsServer(NameService names, DnsFigures figures, TimeProvider time, ILogger<DnsServer> logger)
    {
        this.names = names;
        this.figures = figures;
        this.time = time;
        this.logger = logger;
        rates = new AnswerRates(time);
    }

    /// <summary>Answers the datagrams of a bound socket, until what is returned is disposed.</summary>
    public IDisposable Receive(Socket socket)
    {
        var threads = new DatagramThreads(socket, Take, logger);
        receiving.Add(threads);
        return threads;
    }

    /// <summary>Serves a connection to its end, and closes it.</summary>
    public void Accept(Socket socket)
    {
        var peer = ((IPEndPoint)socket.RemoteEndPoint!).Address; // Connected.
        var ofPeer = connectionsOf.AddOrUpdate(peer, 1, static (_, count) => count + 1);
        if (Interlocked.Increment(ref connections) > MaxConnections
            || (ofPeer > MaxConnectionsPerAddress && !IPAddress.IsLoopback(peer)))
        {
            socket.Dispose();
            Leave(peer);
            return;
        }
        Track(Task.Run(() => ServeAsync(socket, peer)));
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        foreach (var threads in receiving) threads.Dispose();
        await Task.WhenAll(running.Keys);
        stopping.Dispose();
    }

    private async Task ServeAsync(Socket socket, IPAddress peer)
    {
        try
        {
            using var connection = new DnsConnection(socket, names, figures, time);
            await connection.ServeAsync(stopping.Token);
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It idled, or the peer is gone.
        }
        catch (Exception failure)
        {
            LogFailed(failure, "a connection");
        }
        finally
        {
            Leave(peer);
        }
    }

    private void Leave(IPAddress peer)
    {
        Interlocked.Decrement(ref connections);
        var left = connectionsOf.AddOrUpdate(peer, 0, static (_, count) => count - 1);
        if (left <= 0) connectionsOf.TryRemove(KeyValuePair.Create(peer, left));
    }

    private void Take(Datagram datagram)
    {
        var (socket, address) = (datagram.Socket, datagram.From);
        var answer = datagram.Answer;
        var asker = Asker.Of(datagram.Peer, datagram.Listener);
        var verdict = DnsQuery.Read(datagram.Bytes, out var query);
        if (verdict == DnsQueryVerdict.Dropped)
        {
            figures.Dropped();
            return;
        }
        if (!rates.TryTake(asker.Address, out var answerShort))
        {
            figures.Limited();
            if (answerShort)
                socket.SendTo(answer[..DnsWriter.WriteTruncated(query, answer)], SocketFlags.None, address);
            return;
        }
        DnsResponse? response = null;
        if (verdict == DnsQueryVerdict.Query)
        {
            var answered = names.Answer(query, asker);
            if (answered.Ask is { } zone)
            {
                // The receiver goes on; its address is written over by the next datagram.
                var copy = new SocketAddress(address.Family, address.Size);
                address.Buffer.Span[..address.Size].CopyTo(copy.Buffer.Span);
                Track(ForwardAsync(socket, query, zone, copy));
                return;
            }
            response = answered.Response;
        }
        Send(socket, query, response, answer, address);
    }

    private void Send(
        Socket socket, DnsQuery query, DnsResponse? response, Span<byte> answer, SocketAddress address)
    {
        var length = DnsWriter.WriteResponse(query, response, answer[..query.DatagramBytes]);
        figures.Answered(DnsTransport.Udp, response?.Rcode ?? query.Refusal);
        socket.SendTo(answer[..length], SocketFlags.None, address);
    }

    private async Task ForwardAsync(Socket socket, DnsQuery query, Zones.Zone zone, SocketAddress address)
    {
        try
        {
            var response = await names.AskAsync(query, zone, stopping.Token);
            Send(socket, query, response, new byte[DnsLimits.MaxDatagramBytes], address);
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The server stops, or nobody is there to hear it.
        }
        catch (Exception failure)
        {
            LogFailed(failure, "a question for others");
        }
    }

    private void Track(Task task)
    {
        running[task] = true;
        _ = task.ContinueWith(
            static (ended, self) => ((ConcurrentDictionary<Task, bool>)self!).TryRemove(ended, out _), running,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    [LoggerMessage(1, LogLevel.Error, "The answer to {What} failed inside the platform")]
    private partial void LogFailed(Exception failure, string what);
}

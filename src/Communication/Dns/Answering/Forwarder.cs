using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Groundwork.Communication.Dns.Zones;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>
/// Asks other servers. An answer counts when it comes from where it was asked, to a port and with a number that nobody
/// can guess, and repeats the question.
/// </summary>
internal sealed class Forwarder(AddressGuard guard, TimeProvider time)
{
    /// <summary>Questions to others under way at once: each holds a socket.</summary>
    private const int MaxAsking = 256;

    /// <summary>A server that has not answered by then is passed over; clients ask again after 5 s.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1_500);

    private int asking; // Interlocked.

    /// <summary>What the first server says that says anything; a failure is an answer, too.</summary>
    public async Task<DnsResponse> AskAsync(DnsQuery query, Zone zone, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref asking) > MaxAsking)
        {
            Interlocked.Decrement(ref asking);
            return DnsResponse.Failed(DnsExplanation.Other, "too many questions are with others");
        }
        try
        {
            var why = "no server is configured";
            foreach (var forwarder in zone.Forwarders)
            {
                if (guard.Explain(forwarder.Address, forwarder.Port) is { } refused)
                {
                    why = $"{forwarder} is {refused}";
                    continue;
                }
                if (await TryAskAsync(query, forwarder, cancellationToken) is { } message) return Read(message);
                why = $"{forwarder} did not answer";
            }
            return DnsResponse.Failed(DnsExplanation.NoReachableAuthority, why);
        }
        finally
        {
            Interlocked.Decrement(ref asking);
        }
    }

    private static DnsResponse Read(DnsMessage message)
    {
        var response = new DnsResponse { Rcode = message.Rcode, RecursionAvailable = message.RecursionAvailable };
        response.Answers.AddRange(message.Answers);
        response.Authority.AddRange(message.Authority);
        response.Additional.AddRange(message.Additional);
        return response;
    }

    private async Task<DnsMessage?> TryAskAsync(DnsQuery query, IPEndPoint server, CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(Patience, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        try
        {
            var own = DnsQuery.Of(query.Name, query.Type, (ushort)RandomNumberGenerator.GetInt32(1 << 16));
            var message = await AskDatagramAsync(own, server, patience.Token);
            return message is { Truncated: true } ? await AskConnectedAsync(own, server, patience.Token) : message;
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            return null; // The next one, then.
        }
    }

    private static async Task<DnsMessage?> AskDatagramAsync(
        DnsQuery query, IPEndPoint server, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancellationToken); // Datagrams of others do not come through.
        var buffer = ArrayPool<byte>.Shared.Rent(DnsLimits.MaxMessageBytes);
        try
        {
            var length = DnsWriter.WriteQuery(query, buffer);
            await socket.SendAsync(buffer.AsMemory(0, length), cancellationToken);
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer, cancellationToken);
                // What does not fit was not meant: the real one may still come.
                if (Fitting(buffer.AsSpan(0, received), query) is { } message) return message;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<DnsMessage?> AskConnectedAsync(
        DnsQuery query, IPEndPoint server, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(DnsLimits.MaxMessageBytes + 2);
        try
        {
            var length = DnsWriter.WriteQuery(query, buffer.AsSpan(2));
            BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)length);
            await socket.SendAsync(buffer.AsMemory(0, length + 2), cancellationToken);
            if (!await TryFillAsync(socket, buffer.AsMemory(0, 2), cancellationToken)) return null;
            var size = BinaryPrimitives.ReadUInt16BigEndian(buffer);
            return await TryFillAsync(socket, buffer.AsMemory(0, size), cancellationToken)
                ? Fitting(buffer.AsSpan(0, size), query)
                : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<bool> TryFillAsync(
        Socket socket, Memory<byte> into, CancellationToken cancellationToken)
    {
        while (!into.IsEmpty)
        {
            var received = await socket.ReceiveAsync(into, cancellationToken);
            if (received == 0) return false;
            into = into[received..];
        }
        return true;
    }

    private static DnsMessage? Fitting(ReadOnlySpan<byte> bytes, DnsQuery query) =>
        DnsMessage.TryRead(bytes, out var message) && message.IsResponse && message.Id == query.Id
        && message.Type == query.Type && query.Name.Equals(message.Name) ? message : null;
}

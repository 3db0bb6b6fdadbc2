using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Groundwork.Communication.Dns.Answering;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Protocols.Plain;

/// <summary>One connection: questions one after the other, each with its length before it.</summary>
internal sealed class DnsConnection(Socket socket, NameService names, DnsFigures figures, TimeProvider time)
    : IDisposable
{
    private const int LengthBytes = 2;

    /// <summary>Without a whole question, or with an answer that nobody takes.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    private readonly byte[] questions = new byte[LengthBytes + DnsLimits.MaxQueryBytes];
    private readonly byte[] answer = ArrayPool<byte>.Shared.Rent(LengthBytes + DnsLimits.MaxMessageBytes);
    private int filled;

    public void Dispose()
    {
        socket.Dispose();
        ArrayPool<byte>.Shared.Return(answer);
    }

    public async Task ServeAsync(CancellationToken cancellationToken)
    {
        socket.NoDelay = true;
        var asker = Asker.Of(
            ((IPEndPoint)socket.RemoteEndPoint!).Address, ((IPEndPoint)socket.LocalEndPoint!).Address); // Connected.
        using var idle = new CancellationTokenSource(Idle, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, cancellationToken);
        while (true)
        {
            var received = await socket.ReceiveAsync(questions.AsMemory(filled), ending.Token);
            if (received == 0) return;
            filled += received;
            while (filled >= LengthBytes)
            {
                var length = BinaryPrimitives.ReadUInt16BigEndian(questions);
                if (length > DnsLimits.MaxQueryBytes) return; // No question is so long.
                if (filled < LengthBytes + length) break;
                var size = await AnswerAsync(questions.AsMemory(LengthBytes, length), asker, ending.Token);
                if (size == 0) return;
                filled -= LengthBytes + length;
                questions.AsSpan(LengthBytes + length, filled).CopyTo(questions);
                await SendAsync(size, ending.Token);
                idle.CancelAfter(Idle);
            }
        }
    }

    private async ValueTask<int> AnswerAsync(
        ReadOnlyMemory<byte> bytes, Asker asker, CancellationToken cancellationToken)
    {
        var verdict = DnsQuery.Read(bytes.Span, out var query);
        if (verdict == DnsQueryVerdict.Dropped)
        {
            figures.Dropped();
            return 0;
        }
        var response = verdict == DnsQueryVerdict.Query
            ? await names.ResolveAsync(query, asker, cancellationToken)
            : null;
        figures.Answered(DnsTransport.Tcp, response?.Rcode ?? query.Refusal);
        var size = DnsWriter.WriteResponse(
            query, response, answer.AsSpan(LengthBytes, DnsLimits.MaxMessageBytes));
        BinaryPrimitives.WriteUInt16BigEndian(answer, (ushort)size);
        return LengthBytes + size;
    }

    private async Task SendAsync(int size, CancellationToken cancellationToken)
    {
        for (var sent = 0; sent < size;)
            sent += await socket.SendAsync(answer.AsMemory(sent, size - sent), cancellationToken);
    }
}

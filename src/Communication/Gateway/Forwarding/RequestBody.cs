using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>
/// A request's body on its way to an instance: piece by piece, each passed on as it comes. Waiting for the client has
/// the server's own limits; waiting for the instance has the route's.
/// </summary>
internal sealed class RequestBody : HttpContent
{
    /// <summary>Bytes of one piece.</summary>
    private const int BufferBytes = 32 * 1024;

    private readonly HttpRequest request;
    private readonly Deadline deadline;
    private readonly TimeSpan patience;

    private readonly long? length;

    /// <param name="empty">True when the client sent none, and the instance gets one of no bytes.</param>
    public RequestBody(HttpRequest request, Deadline deadline, TimeSpan patience, bool empty)
    {
        this.request = request;
        this.deadline = deadline;
        this.patience = patience;
        length = empty ? 0 : request.ContentLength;
        Headers.ContentLength = length;
    }

    /// <summary>True once the client's body has been touched: it cannot be sent a second time.</summary>
    public bool Started { get; private set; }

    /// <summary>What went wrong on the client's side; null when nothing did.</summary>
    public Exception? ClientFault { get; private set; }

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (Started) throw new InvalidOperationException("A request's body can be read once.");
        Started = true;
        if (length == 0)
        {
            deadline.Arm(patience);
            return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (; ; )
            {
                deadline.Disarm();
                var count = await ReadAsync(buffer, cancellationToken);
                deadline.Arm(patience);
                if (count == 0) return;
                await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                await stream.FlushAsync(cancellationToken); // The instance may be waiting for just this piece.
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long bytes)
    {
        bytes = length ?? 0;
        return length is not null;
    }

    private async ValueTask<int> ReadAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await request.Body.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or BadHttpRequestException or OperationCanceledException)
        {
            ClientFault = fault;
            throw;
        }
    }
}

using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Groundwork.Communication.Gateway.Calling;

/// <summary>
/// One connection to an instance, in clear or under TLS. Used by one exchange at a time; one task may send while
/// another receives. While it is kept it already waits for what comes next, so that its end, or bytes that nobody
/// asked for, are seen without asking the system.
/// </summary>
internal sealed class InstanceConnection(Socket socket, SslStream? secure, long openedAt) : IEndable, IDisposable
{
    /// <summary>Bytes that are received at once: most answers fit.</summary>
    private const int BufferBytes = 16 * 1024;

    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int start; // buffer[start..end] is received and not consumed.
    private int end;
    private ValueTask<int> ahead; // The receive that was begun ahead.
    private bool isAhead;
    private int ended; // 1 once aborted or disposed. Interlocked.
    private bool receiving; // A receive may still write into the buffer.

    /// <summary>Timestamp.</summary>
    public long OpenedAt => openedAt;

    /// <summary>Timestamp of its coming back; of the pool.</summary>
    public long KeptAt { get; set; }

    /// <summary>True once it has carried an exchange.</summary>
    public bool IsReused { get; set; }

    public bool IsEnded => Volatile.Read(ref ended) != 0;

    /// <summary>Received and not consumed; valid until the next receive.</summary>
    public ReadOnlyMemory<byte> Buffered => buffer.AsMemory(start, end - start);

    /// <summary>
    /// True when a kept connection can carry a request: it has not ended, and nothing came that was not asked for,
    /// which would be taken for the answer to the next request.
    /// </summary>
    public bool IsQuiet => isAhead && !ahead.IsCompleted && !IsEnded;

    public void Consume(int bytes) => start += bytes;

    /// <summary>Gives back what was consumed last.</summary>
    public void Unread(int bytes) => start -= bytes;

    /// <summary>Receives behind what is buffered; 0 at the end.</summary>
    public ValueTask<int> FillAsync()
    {
        receiving = true;
#pragma warning disable CA2012 // What was begun ahead is consumed here, once: the field is emptied with it.
        var pending = isAhead ? ahead : ReceiveAsync();
        (isAhead, ahead) = (false, default);
        return pending.IsCompletedSuccessfully ? new ValueTask<int>(Take(pending.Result)) : AwaitAsync(pending);
#pragma warning restore CA2012
    }

    /// <summary>
    /// Receives into memory of somebody else, when nothing is buffered; 0 at the end. Awaited before that is given up.
    /// </summary>
    public ValueTask<int> ReceiveAsync(Memory<byte> memory) => secure is null
        ? socket.ReceiveAsync(memory, SocketFlags.None, CancellationToken.None)
        : secure.ReadAsync(memory, CancellationToken.None);

    /// <summary>Sends all of it.</summary>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (secure is not null) return secure.WriteAsync(bytes, CancellationToken.None);
        var sending = socket.SendAsync(bytes, SocketFlags.None, CancellationToken.None);
        if (!sending.IsCompletedSuccessfully) return SendRestAsync(sending, bytes);
        var sent = sending.Result;
        return sent == bytes.Length ? ValueTask.CompletedTask : SendRestAsync(ValueTask.FromResult(sent), bytes);
    }

    /// <summary>Says that nothing more is sent; what comes is still received.</summary>
    public async ValueTask EndSendingAsync()
    {
        if (secure is not null) await secure.ShutdownAsync();
        else socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Begins to wait for what comes next; nothing may be buffered.</summary>
    public void ReadAhead()
    {
        start = end = 0;
        receiving = true;
#pragma warning disable CA2012 // Consumed by the next receive, or with the connection by nobody.
        ahead = ReceiveAsync();
#pragma warning restore CA2012
        isAhead = true;
    }

    /// <summary>Ends it at once, from any thread; whoever sends or receives fails.</summary>
    public void Abort()
    {
        if (Interlocked.Exchange(ref ended, 1) == 0) socket.Dispose();
    }

    /// <summary>Ends it; by its owner, when nobody sends or receives any more.</summary>
    public void Dispose()
    {
        if (isAhead && ahead.IsCompleted) receiving = false;
        Abort();
        secure?.Dispose();
        // A buffer into which a receive may still write is left to the collector.
        if (!receiving) ArrayPool<byte>.Shared.Return(buffer);
        receiving = true; // Once.
    }

    private ValueTask<int> ReceiveAsync()
    {
        if (start == end) start = end = 0;
        else if (start > 0 && end == buffer.Length)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        return ReceiveAsync(buffer.AsMemory(end));
    }

    private int Take(int bytes)
    {
        receiving = false;
        end += bytes;
        return bytes;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> AwaitAsync(ValueTask<int> pending)
    {
        try
        {
            return Take(await pending);
        }
        finally
        {
            receiving = false; // It has failed, and writes no more.
        }
    }

    private async ValueTask SendRestAsync(ValueTask<int> sending, ReadOnlyMemory<byte> bytes)
    {
        bytes = bytes[await sending..];
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, CancellationToken.None)..];
    }
}

using System.Buffers;

namespace Groundwork.Communication.Gateway.Layer4;

/// <summary>A connection whose first bytes can be looked at before they are read.</summary>
internal sealed class PeekedStream(Stream inner) : Stream
{
    private byte[] buffer = [];
    private int start; // buffer[start..end] is received and not read.
    private int end;

    public ReadOnlyMemory<byte> Peeked => buffer.AsMemory(start, end - start);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Waits for more to look at; false at the end, or when there is no room for more.</summary>
    public async ValueTask<bool> PeekMoreAsync()
    {
        if (buffer.Length == 0) buffer = ArrayPool<byte>.Shared.Rent(Wire.Tls.ClientHello.MaxBytes);
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        if (end == buffer.Length) return false;
        var count = await inner.ReadAsync(buffer.AsMemory(end));
        end += count;
        return count > 0;
    }

    public void Consume(int bytes) => start += bytes;

    public override ValueTask<int> ReadAsync(Memory<byte> into, CancellationToken cancellationToken = default)
    {
        if (start == end) return inner.ReadAsync(into, cancellationToken);
        var count = Math.Min(into.Length, end - start);
        buffer.AsSpan(start, count).CopyTo(into.Span);
        start += count;
        if (start == end) GiveBack();
        return ValueTask.FromResult(count);
    }

    public override Task<int> ReadAsync(byte[] into, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(into.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] into, int offset, int count) => throw new NotSupportedException();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(bytes, cancellationToken);

    public override Task WriteAsync(byte[] from, int offset, int count, CancellationToken cancellationToken) =>
        inner.WriteAsync(from, offset, count, cancellationToken);

    public override void Write(byte[] from, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
        // What is written has gone out.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            GiveBack();
            inner.Dispose();
        }
        base.Dispose(disposing);
    }

    private void GiveBack()
    {
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
        (start, end) = (0, 0);
    }
}

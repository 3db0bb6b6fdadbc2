using System.Net.Sockets;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>
/// The bytes of a connection to an instance. The framework's client sends a request without body up to three times more
/// when its connection ends before the answer begins. For a connection that was kept that is right: the instance closed
/// it as idle. On a new one the instance died of the request or refused it, and whether to try once more is not the
/// client's to decide: there the end is made an error that it does not repeat. (Under TLS every connection looks kept.)
/// </summary>
internal sealed class UpstreamStream(NetworkStream inner) : Stream
{
    private bool answered; // Something has come: an answer, and so a kept connection from then on.

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count;
        try
        {
            count = await inner.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException fault) when (!answered)
        {
            throw new UpstreamEndedException(fault);
        }
        if (count > 0) answered = true;
        else if (!answered && buffer.Length > 0) throw new UpstreamEndedException(null);
        return count;
    }

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await inner.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException fault) when (!answered)
        {
            throw new UpstreamEndedException(fault);
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask; // Nothing is held back.

    public override void Flush()
    {
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>
/// A new connection ended before its first answer. Of this kind because the framework's client does not repeat after
/// it.
/// </summary>
internal sealed class UpstreamEndedException(Exception? cause)
    : InvalidOperationException("the connection ended before an answer began", cause);

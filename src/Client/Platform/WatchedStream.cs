namespace Groundwork.Client.Platform;

/// <summary>
/// An answer's body that must keep moving and may not grow without end: a read that takes longer than the idle limit,
/// or more bytes than allowed since the last <see cref="Forgive"/>, is an <see cref="IOException"/>. Read by one task.
/// </summary>
internal sealed class WatchedStream(Stream inner, long maxBytes, TimeSpan idleLimit, TimeProvider time)
    : ReadOnlyStream(inner)
{
    private long bytes;

    /// <summary>Starts counting anew: the reader has taken what came so far.</summary>
    public void Forgive() => bytes = 0;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var idle = new CancellationTokenSource(idleLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, idle.Token);
        int read;
        try
        {
            read = await Inner.ReadAsync(buffer, either.Token);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"nothing came for {idleLimit.TotalSeconds:0} s", fault);
        }
        bytes += read;
        return bytes <= maxBytes ? read : throw new IOException($"the answer is over {maxBytes} bytes");
    }

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A blocking read could not be given up after the idle limit.");
}

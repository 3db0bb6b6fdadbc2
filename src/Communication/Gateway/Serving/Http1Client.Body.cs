using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Groundwork.Wire.Http1;
using Microsoft.AspNetCore.Connections;

namespace Groundwork.Communication.Gateway.Serving;

// Reading of the client's body.
internal sealed partial class Http1Client
{
    private bool asked; // 100 Continue has been said.
    private volatile bool givenUp; // Nobody wants the rest of the body.
    private long received; // Bytes of the body.
    private double waited; // Seconds that the client was waited for.

    public bool BodyTouched { get; private set; }

    public FieldTable? Trailers => reader.Trailers;

    public async ValueTask AskForBodyAsync()
    {
        if (asked || reader.IsComplete) return;
        asked = true;
        output.Write("HTTP/1.1 100 Continue\r\n\r\n"u8);
        await SendAsync();
    }

    public void GiveUpBody()
    {
        givenUp = true;
        input.CancelPendingRead();
    }

    public ValueTask<int> ReadBodyAsync(Memory<byte> into)
    {
        if (reader.IsComplete && !isRaw) return ValueTask.FromResult(0);
        if (!input.TryRead(out var read)) return AwaitBodyAsync(into);
        var count = TakeBody(read, into.Span);
        return count > 0 || (reader.IsComplete && !isRaw) ? ValueTask.FromResult(count) : AwaitBodyAsync(into);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> AwaitBodyAsync(Memory<byte> into)
    {
        while (true)
        {
            if (givenUp) throw new ClientBodyException(HeadFault.None, 0);
            var begun = serving.Time.GetTimestamp();
            // An upgraded connection is silent as long as it likes: it has its own idle time.
            if (!isRaw) readLimit.Arm(Allowance(), Reading);
            ReadResult read;
            try
            {
                read = await input.ReadAsync();
            }
            catch (Exception fault) when (
                fault is ConnectionAbortedException or ConnectionResetException or IOException)
            {
                readLimit.Disarm();
                throw new ClientBodyException(HeadFault.None, 0);
            }
            var over = !readLimit.Disarm();
            waited += serving.Time.GetElapsedTime(begun).TotalSeconds;
            var count = TakeBody(read, into.Span);
            if (count > 0 || (reader.IsComplete && !isRaw)) return count;
            if (over) throw new ClientBodyException(HeadFault.None, 408);
            if (read.IsCompleted)
                return isRaw ? 0 : throw new ClientBodyException(HeadFault.CutShort, 0);
        }
    }

    private int TakeBody(in ReadResult read, Span<byte> into)
    {
        if (isRaw)
        {
            var count = (int)Math.Min(read.Buffer.Length, into.Length);
            read.Buffer.Slice(0, count).CopyTo(into);
            received += count;
            input.AdvanceTo(read.Buffer.GetPosition(count));
            return count;
        }
        var taken = reader.Take(read.Buffer, into, out var consumed);
        if (taken > 0 || reader.IsComplete) input.AdvanceTo(consumed);
        else input.AdvanceTo(consumed, read.Buffer.End);
        received += taken;
        if (taken > 0) BodyTouched = true;
        if (reader.Fault != HeadFault.None) throw new ClientBodyException(reader.Fault, 400);
        if (reader.IsTooLarge) throw new ClientBodyException(HeadFault.None, 413);
        return taken;
    }

    // What it may still take until the next piece, at the least rate; time in which nobody waited for it is not its.
    private TimeSpan Allowance() => limits.Grace
        + TimeSpan.FromSeconds(Math.Max(0, ((double)received / limits.MinBytesPerSecond) - waited));

    /// <summary>
    /// Reads over what is left of a body that was answered early. False when it is too much, or may never come.
    /// </summary>
    private async ValueTask<bool> DrainBodyAsync()
    {
        if (!MayDrain) return false;
        givenUp = false;
        var buffer = ArrayPool<byte>.Shared.Rent(4 * 1024);
        try
        {
            for (var drained = 0; drained <= limits.DrainBytes;)
            {
                var count = await ReadBodyAsync(buffer);
                if (count == 0) return true;
                drained += count;
            }
            return false;
        }
        catch (ClientBodyException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // A client that waits to be asked may now send its body, or its next request: nobody can tell them apart.
    private bool MayDrain => reader.IsComplete || reader.Fault == HeadFault.None
        && (asked || exchange is not { Request.ExpectsContinue: true })
        && (reader.Left <= limits.DrainBytes || reader.Left == long.MaxValue);
}

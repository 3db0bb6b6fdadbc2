using System.Buffers;
using System.Runtime.CompilerServices;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>How an answer's body ended.</summary>
internal enum BodyEnd { Complete, InstanceFailed, ClientGone }

// What streams: bodies both ways, piece by piece, each passed on as it comes.
internal sealed partial class Exchange
{
    /// <summary>Bytes of a piece of a large answer.</summary>
    private const int LargePieceBytes = 32 * 1024;

    private ChunkDecoder? chunks;

    /// <summary>Passes the answer's body on, to its end or as far as it goes; the answer has been begun.</summary>
    public ValueTask<BodyEnd> PassBodyAsync() => Answer.Body switch
    {
        BodyKind.None => EndAsync(null),
        _ when stream is not null => PassStreamAsync(stream),
        BodyKind.Chunked => PassChunksAsync(),
        _ => PassBytesAsync(Answer.Body == BodyKind.Length ? Answer.ContentLength : long.MaxValue),
    };

    /// <summary>Passes bytes both ways until either side ends, or nothing comes for the idle time.</summary>
    public async ValueTask<BodyEnd> PassBothWaysAsync()
    {
        var instance = connection!; // Set by the call that succeeded.
        if (!await Client.FlushAsync()) return BodyEnd.ClientGone;
        receiving.Arm(IdleTimeout, instance);
        var fromClient = PassFromClientAsync(instance);
        var end = await PassFromInstanceAsync(instance);
        // Without its answers the client has nothing to say: a WebSocket closes by messages, which have passed by now.
        instance.Abort();
        Client.GiveUpBody();
        var clientEnded = await fromClient;
        receiving.Disarm();
        return Client.IsGone || (clientEnded && end == BodyEnd.InstanceFailed) ? BodyEnd.ClientGone : end;
    }

    private async Task<bool> PassFromClientAsync(InstanceConnection to)
    {
        var piece = ArrayPool<byte>.Shared.Rent(4 * 1024); // A message of a chat or a ticker; larger ones take turns.
        try
        {
            int count;
            while ((count = await Client.ReadBodyAsync(piece)) > 0)
            {
                await to.SendAsync(piece.AsMemory(0, count));
                receiving.Arm(IdleTimeout, to);
            }
            await to.EndSendingAsync();
            return true;
        }
        catch (ClientBodyException)
        {
            to.Abort();
            return true;
        }
        catch (Exception fault) when (IsBroken(fault))
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private async ValueTask<BodyEnd> PassFromInstanceAsync(InstanceConnection from)
    {
        try
        {
            while (true)
            {
                if (!from.Buffered.IsEmpty)
                {
                    Client.Write(from.Buffered.Span);
                    from.Consume(from.Buffered.Length);
                    if (!await Client.FlushAsync()) return BodyEnd.ClientGone;
                    receiving.Arm(IdleTimeout, from);
                }
                if (await from.FillAsync() == 0) return BodyEnd.Complete;
            }
        }
        catch (Exception fault) when (IsBroken(fault))
        {
            Cause = fault;
            return BodyEnd.InstanceFailed;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BodyEnd> PassBytesAsync(long left)
    {
        var from = connection!; // Set by the call that succeeded.
        var flushed = false;
        try
        {
            while (true)
            {
                var take = (int)Math.Min(left, from.Buffered.Length);
                if (take > 0)
                {
                    Client.Write(from.Buffered.Span[..take]);
                    from.Consume(take);
                    left -= take;
                    if (left == 0) return await EndAsync(null);
                    if (!await Client.FlushAsync()) return BodyEnd.ClientGone;
                    flushed = true;
                }
                if (flushed && left >= LargePieceBytes && from.Buffered.IsEmpty && Answer.Body == BodyKind.Length
                    && Client.Room(LargePieceBytes) is { IsEmpty: false } room)
                {
                    // A large body is received right into what the client is sent from.
                    var count = await WaitAsync(from.ReceiveAsync(room[..(int)Math.Min(left, room.Length)]), from);
                    if (count == 0) throw new IOException("it ended before its end");
                    Client.Advance(count);
                    left -= count;
                    if (left == 0) return await EndAsync(null);
                    if (!await Client.FlushAsync()) return BodyEnd.ClientGone;
                    continue;
                }
                var filling = from.FillAsync();
                // The head must not wait for a body that comes later; one that is here already goes out with it.
                if (!filling.IsCompleted && !flushed && !await Client.FlushAsync()) return BodyEnd.ClientGone;
                flushed = true;
                if (await WaitAsync(filling, from) > 0) continue;
                if (Answer.Body == BodyKind.UntilClose) return await EndAsync(null);
                throw new IOException("it ended before its end");
            }
        }
        catch (Exception fault) when (IsBroken(fault))
        {
            Cause = fault;
            return Client.IsGone ? BodyEnd.ClientGone : BodyEnd.InstanceFailed;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BodyEnd> PassChunksAsync()
    {
        var from = connection!; // Set by the call that succeeded.
        chunks ??= new ChunkDecoder();
        chunks.Reset();
        var flushed = false;
        try
        {
            while (true)
            {
                if (!from.Buffered.IsEmpty)
                {
                    switch (WriteChunks(from, chunks))
                    {
                        case ChunkProgress.Complete:
                            return await EndAsync(TakesTrailers && chunks.Trailers.Count > 0 ? chunks.Trailers : null);
                        case ChunkProgress.Bad:
                            throw new InvalidDataException(HeadFaults.Explain(chunks.Fault));
                        case ChunkProgress.Content when !await Client.FlushAsync():
                            return BodyEnd.ClientGone;
                        case ChunkProgress.Content:
                            flushed = true;
                            break;
                        default:
                            break;
                    }
                }
                var filling = from.FillAsync();
                if (!filling.IsCompleted && !flushed && !await Client.FlushAsync()) return BodyEnd.ClientGone;
                flushed = true;
                if (await WaitAsync(filling, from) == 0) throw new IOException("it ended before its last chunk");
            }
        }
        catch (Exception fault) when (IsBroken(fault))
        {
            Cause = fault;
            return Client.IsGone ? BodyEnd.ClientGone : BodyEnd.InstanceFailed;
        }
    }

    // All that is buffered: content when there was some and the body goes on.
    private ChunkProgress WriteChunks(InstanceConnection from, ChunkDecoder decoder)
    {
        var result = ChunkProgress.Incomplete;
        while (!from.Buffered.IsEmpty)
        {
            var progress = decoder.Read(from.Buffered.Span, out var consumed, out var content);
            if (content > 0)
            {
                Client.Write(from.Buffered.Span.Slice(consumed - content, content));
                result = ChunkProgress.Content;
            }
            from.Consume(consumed);
            if (progress is ChunkProgress.Complete or ChunkProgress.Bad) return progress;
        }
        return result;
    }

    private ValueTask<int> WaitAsync(ValueTask<int> filling, IEndable from)
    {
        if (filling.IsCompleted) return filling;
        receiving.Arm(IdleTimeout, from);
        return AwaitAsync(filling);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> AwaitAsync(ValueTask<int> filling)
    {
        var count = await filling;
        Lift(receiving);
        if (timedOut) throw new IOException("the time is over");
        return count;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BodyEnd> EndAsync(FieldTable? trailers)
    {
        Client.End(trailers);
        return await Client.FlushAsync() ? BodyEnd.Complete : BodyEnd.ClientGone;
    }

    // True when it was sent whole. Never throws for what a peer does: the reading side finds out what became of it.
    private async Task<bool> SendBodyAsync(InstanceConnection to, int headLength)
    {
        var chunked = Request.Body == BodyKind.Chunked;
        var around = chunked ? Chunks.End.Length + Chunks.Last.Length : 0;
        var (begin, at) = (headLength, 0); // What waits to be sent, and where the next piece goes.
        try
        {
            if (outgoing.Length - begin < PieceBytes / 4)
            {
                if (!await SendOutAsync(to, 0, begin)) return false;
                begin = 0;
            }
            while (true)
            {
                at = chunked ? begin + Chunks.MaxSizeLine : begin;
                var reading = Client.ReadBodyAsync(outgoing.AsMemory(at..(outgoing.Length - around)));
                // The head does not wait for a body that comes later; a piece that is here already goes out with it.
                if (!reading.IsCompleted && begin > 0)
                {
                    // The read has to end before its buffer is given up, so that this is no return.
                    if (!await SendOutAsync(to, 0, begin)) to.Abort();
                    begin = 0;
                }
                var count = await reading;
                if (to.IsEnded) return false;
                if (count == 0) break;
                var start = chunked ? Frame(begin, at, count) : begin > 0 ? 0 : at;
                begin = 0;
                if (!await SendOutAsync(to, start, at + count + (chunked ? Chunks.End.Length : 0))) return false;
            }
            if (chunked)
            {
                // Room for them is kept; a head that waits goes out first where they would not fit behind it.
                var trailers = origin.Trailers;
                if (trailers is not null && outgoing.Length - begin < RequestForm.RoomFor(trailers))
                {
                    if (!await SendOutAsync(to, 0, begin)) return false;
                    begin = 0;
                }
                begin += RequestForm.WriteEnd(this, trailers, outgoing.AsSpan(begin));
            }
            if (begin > 0 && !await SendOutAsync(to, 0, begin)) return false;
            // Who sees the head of the answer says so before it lifts the limit, and we set it before we look.
            sending.Arm(ResponseHeadTimeout, to);
            Interlocked.MemoryBarrier();
            if (answering) Lift(sending);
            return true;
        }
        catch (ClientBodyException fault)
        {
            clientFault = fault;
            to.Abort(); // What it has is half a request.
            return false;
        }
        catch (Exception fault) when (IsBroken(fault))
        {
            return false;
        }
    }

    // Puts the lines of a chunk around a piece, and what waits to be sent right before it; where that begins.
    private int Frame(int waiting, int at, int count)
    {
        Span<byte> line = stackalloc byte[Chunks.MaxSizeLine];
        var length = Chunks.WriteSize(line, count);
        line[..length].CopyTo(outgoing.AsSpan(at - length));
        Chunks.End.CopyTo(outgoing.AsSpan(at + count));
        if (waiting > 0) outgoing.AsSpan(0, waiting).CopyTo(outgoing.AsSpan(at - length - waiting));
        return at - length - waiting;
    }

    private async ValueTask<bool> SendOutAsync(InstanceConnection to, int start, int end)
    {
        sending.Arm(ResponseHeadTimeout, to);
        await to.SendAsync(outgoing.AsMemory(start..end));
        Lift(sending);
        return !timedOut;
    }
}

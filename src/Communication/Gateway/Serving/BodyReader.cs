using System.Buffers;
using System.IO.Pipelines;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Serving;

/// <summary>Takes the content of one request's body out of a connection's bytes, however it is framed.</summary>
internal sealed class BodyReader
{
    private readonly ChunkDecoder chunks = new();
    private BodyKind kind;
    private long left; // Of a body with a length.
    private long limit;
    private long taken;

    /// <summary>True when the body has been taken to its end.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>What is wrong with it.</summary>
    public HeadFault Fault { get; private set; }

    /// <summary>True when it is larger than it may be.</summary>
    public bool IsTooLarge => taken > limit || (kind == BodyKind.Length && left > limit);

    /// <summary>Bytes to come, when that is known; <see cref="long.MaxValue"/> when it is not.</summary>
    public long Left => IsComplete ? 0 : kind == BodyKind.Length ? left : long.MaxValue;

    /// <summary>What came behind the last chunk; null: nothing.</summary>
    public FieldTable? Trailers =>
        kind == BodyKind.Chunked && IsComplete && chunks.Trailers.Count > 0 ? chunks.Trailers : null;

    public void Begin(BodyKind body, long length, long limitBytes)
    {
        kind = body;
        left = length;
        limit = limitBytes;
        taken = 0;
        Fault = HeadFault.None;
        IsComplete = body == BodyKind.None;
        if (body == BodyKind.Chunked) chunks.Reset();
    }

    /// <summary>Takes what there is; the bytes of content copied.</summary>
    /// <param name="consumed">Up to where the input is done with.</param>
    public int Take(in ReadOnlySequence<byte> input, Span<byte> into, out SequencePosition consumed)
    {
        var copied = 0;
        var done = 0L;
        foreach (var segment in input)
        {
            var rest = segment.Span;
            while (!rest.IsEmpty && copied < into.Length && !IsComplete && Fault == HeadFault.None)
            {
                var before = rest.Length;
                copied += Take(ref rest, into[copied..]);
                done += before - rest.Length;
            }
            if (!rest.IsEmpty) break;
        }
        taken += copied;
        consumed = input.GetPosition(done);
        return copied;
    }

    private int Take(ref ReadOnlySpan<byte> input, Span<byte> into)
    {
        if (kind == BodyKind.Length)
        {
            var count = (int)Math.Min(Math.Min(left, input.Length), into.Length);
            input[..count].CopyTo(into);
            input = input[count..];
            left -= count;
            IsComplete = left == 0;
            return count;
        }
        // Never more content than there is room for: content is no longer than what it is read from.
        var offered = input[..Math.Min(input.Length, into.Length)];
        var progress = chunks.Read(offered, out var consumed, out var content);
        offered.Slice(consumed - content, content).CopyTo(into);
        input = input[consumed..];
        if (progress == ChunkProgress.Complete) IsComplete = true;
        if (progress == ChunkProgress.Bad) Fault = chunks.Fault;
        return content;
    }
}

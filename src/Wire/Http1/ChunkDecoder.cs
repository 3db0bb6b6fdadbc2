namespace Groundwork.Wire.Http1;

/// <summary>What reading of a chunked body came to.</summary>
public enum ChunkProgress
{
    /// <summary>All was taken; more bytes are needed.</summary>
    Incomplete,

    /// <summary>The last of the bytes taken are of the body.</summary>
    Content,

    /// <summary>The body and its trailers have ended.</summary>
    Complete,

    /// <summary>It is none; nothing that follows may be read.</summary>
    Bad,
}

/// <summary>
/// Reads a chunked body (RFC 9112, 7.1): sizes in hexadecimal digits alone, every line with CR LF, extensions read over
/// within a bound, trailers within a bound.
/// </summary>
public sealed class ChunkDecoder
{
    /// <summary>Bytes of extensions of a whole body: nobody sends them but to cost us.</summary>
    private const int MaxExtensionBytes = 4 * 1024;

    /// <summary>Digits of a size, leading zeros among them: no chunk is larger than 2^48.</summary>
    private const int MaxDigits = 12;

    /// <summary>What trailers may measure.</summary>
    private static readonly HeadLimits TrailerLimits = new(LineBytes: 0, FieldsBytes: 8 * 1024, Fields: 32);

    private enum Step { Size, SizeEnd, Extension, Content, ContentReturn, ContentFeed, Trailers, End }

    private Step step;
    private int digits;
    private long left; // Of the chunk.
    private int extensionBytes;
    private int position; // In the trailers.

    /// <summary>The trailers, when the body is complete; only valid ones are let out.</summary>
    public FieldTable Trailers { get; } = new();

    /// <summary>What was wrong.</summary>
    public HeadFault Fault { get; private set; }

    public void Reset()
    {
        step = Step.Size;
        (digits, left, extensionBytes, position) = (0, 0, 0, 0);
        Fault = HeadFault.None;
        Trailers.Release();
    }

    /// <summary>Reads on, at most to the end of one piece of content.</summary>
    /// <param name="consumed">Bytes of the input that are done with.</param>
    /// <param name="content">How many of these, the last ones, are of the body.</param>
    public ChunkProgress Read(ReadOnlySpan<byte> input, out int consumed, out int content)
    {
        (consumed, content) = (0, 0);
        while (consumed < input.Length)
        {
            var next = input[consumed];
            switch (step)
            {
                case Step.Content:
                    content = (int)Math.Min(left, input.Length - consumed);
                    left -= content;
                    consumed += content;
                    if (left == 0) step = Step.ContentReturn;
                    return ChunkProgress.Content;
                case Step.Trailers:
                    return ReadTrailers(input, ref consumed);
                case Step.End:
                    return ChunkProgress.Complete;
                default:
                    if (!Take(next)) return Refuse(HeadFault.Chunk);
                    // A trailer line's first byte must not be taken here.
                    consumed++;
                    break;
            }
        }
        return step == Step.End ? ChunkProgress.Complete : ChunkProgress.Incomplete;
    }

    private bool Take(byte next)
    {
        switch (step)
        {
            case Step.Size:
                return TakeSize(next);
            case Step.Extension:
                // Any control character but the tab is an attempt to hide something (CVE-2025-55315: a line feed).
                if (next != '\r')
                    return next is not (< 0x20 and not (byte)'\t' or 0x7F) && ++extensionBytes <= MaxExtensionBytes;
                step = Step.SizeEnd;
                return true;
            case Step.SizeEnd:
                if (next != '\n' || digits == 0) return false;
                digits = 0;
                step = left > 0 ? Step.Content : Step.Trailers;
                return true;
            case Step.ContentReturn:
                step = Step.ContentFeed;
                return next == '\r';
            default:
                step = Step.Size;
                return next == '\n';
        }
    }

    private bool TakeSize(byte next)
    {
        if (PathForm.TryHex(next, out var digit))
        {
            left = (left * 16) + digit;
            return ++digits <= MaxDigits;
        }
        if (digits == 0) return false;
        if (next == '\r')
        {
            step = Step.SizeEnd;
            return true;
        }
        step = Step.Extension;
        return next == ';';
    }

    private ChunkProgress ReadTrailers(ReadOnlySpan<byte> input, ref int consumed)
    {
        var before = Trailers.Filled;
        // No more than may be trailers, and a byte to see that they are too large.
        var room = TrailerLimits.FieldsBytes + 1 - before;
        var taken = input[consumed..Math.Min(input.Length, consumed + room)];
        Trailers.Append(taken);
        switch (Trailers.Parse(ref position, 0, TrailerLimits, out _))
        {
            case HeadProgress.Bad:
                return Refuse(HeadFault.Trailers);
            case HeadProgress.Incomplete:
                consumed += taken.Length;
                return ChunkProgress.Incomplete;
            default:
                consumed += position - before;
                Trailers.CutTo(position);
                step = Step.End;
                return ChunkProgress.Complete;
        }
    }

    private ChunkProgress Refuse(HeadFault fault)
    {
        Fault = fault;
        return ChunkProgress.Bad;
    }
}

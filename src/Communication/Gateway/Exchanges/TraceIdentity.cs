using System.Buffers;
using System.Text;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>
/// The trace that a request belongs to: the client's when it is well formed, else a new one. The gateway is a span of
/// its own in it, which is the parent of whatever the service does. Kept as bytes; the text of the id is made only for
/// who asks.
/// </summary>
internal sealed class TraceIdentity(TraceHeaders headers = TraceHeaders.W3C)
{
    /// <summary>Bytes of <c>00-trace-span-flags</c>.</summary>
    private const int Length = 55;

    private const int TraceAt = 3;
    private const int TraceLength = 32;
    private const int SpanAt = TraceAt + TraceLength + 1;
    private const int SpanLength = 16;
    private const int FlagsAt = SpanAt + SpanLength + 1;

    private static readonly SearchValues<byte> HexBytes = SearchValues.Create("0123456789abcdef"u8);

    private readonly byte[] parent = [.. "00-00000000000000000000000000000000-0000000000000000-00"u8];
    private readonly byte[] caller = new byte[SpanLength];
    private bool hasCaller;
    private B3Sampling sampling; // What B3 says; unset: nobody has decided.

    /// <summary>What instances get by W3C Trace Context: the gateway's own span.</summary>
    public ReadOnlySpan<byte> Parent => parent;

    /// <summary>The gateway's own span, by which this one request is found; 16 hexadecimal digits.</summary>
    public ReadOnlySpan<byte> SpanId => parent.AsSpan(SpanAt, SpanLength);

    public ReadOnlySpan<byte> TraceIdBytes => parent.AsSpan(TraceAt, TraceLength);

    /// <summary>The client's span; empty where it has none.</summary>
    public ReadOnlySpan<byte> CallerSpanId => hasCaller ? caller : [];

    /// <summary>True when whoever began the trace wants it recorded.</summary>
    public bool IsSampled => (Flags & 1) != 0;

    /// <summary>True when the trace is the client's by <c>traceparent</c>, whose state then goes with it.</summary>
    public bool IsContinued { get; private set; }

    public string TraceId => Encoding.ASCII.GetString(TraceIdBytes);

    private int Flags => HexValue(parent[FlagsAt + 1]);

    public void Take(FieldTable fields)
    {
        hasCaller = false;
        sampling = B3Sampling.Unset;
        IsContinued = headers.HasFlag(TraceHeaders.W3C) && TakeParent(fields);
        if (IsContinued
            || (headers.HasFlag(TraceHeaders.B3) && TakeB3(fields))
            || (headers.HasFlag(TraceHeaders.B3Multi) && TakeB3Multi(fields)))
        {
            BeginSpan();
            return;
        }
        // B3 may decide about a trace that is still to begin.
        BeginTrace();
    }

    /// <summary>Begins a new trace.</summary>
    public void Begin()
    {
        IsContinued = hasCaller = false;
        sampling = B3Sampling.Unset;
        BeginTrace();
    }

    /// <summary>True for a field of the client's that is written anew.</summary>
    public bool Replaces(ReadOnlySpan<byte> name) => headers != TraceHeaders.W3C && IsB3(name);

    /// <summary>Writes the fields by which an instance gets the trace.</summary>
    public void Write(ref HeadWriter writer)
    {
        if (headers.HasFlag(TraceHeaders.W3C)) writer.Field("traceparent"u8, parent);
        if (headers.HasFlag(TraceHeaders.B3))
        {
            writer.Write("b3: "u8);
            writer.Write(TraceIdBytes);
            writer.Write((byte)'-');
            writer.Write(SpanId);
            if (sampling != B3Sampling.Unset)
            {
                writer.Write((byte)'-');
                writer.Write((byte)sampling);
            }
            if (sampling != B3Sampling.Unset && hasCaller)
            {
                writer.Write((byte)'-');
                writer.Write(caller);
            }
            writer.EndLine();
        }
        if (!headers.HasFlag(TraceHeaders.B3Multi)) return;
        writer.Field("X-B3-TraceId"u8, TraceIdBytes);
        writer.Field("X-B3-SpanId"u8, SpanId);
        if (hasCaller) writer.Field("X-B3-ParentSpanId"u8, caller);
        if (sampling == B3Sampling.Debug) writer.Write("X-B3-Flags: 1\r\n"u8);
        else if (sampling != B3Sampling.Unset)
        {
            writer.Write("X-B3-Sampled: "u8);
            writer.Write((byte)sampling);
            writer.EndLine();
        }
    }

    private static bool IsB3(ReadOnlySpan<byte> name) => Ascii.EqualsIgnoreCase(name, "b3"u8)
        || (name.Length > 5 && Ascii.EqualsIgnoreCase(name[..5], "x-b3-"u8));

    private bool TakeParent(FieldTable fields)
    {
        var sent = fields.First(KnownField.TraceParent);
        if (!IsValid(sent) || !IsAlone(fields)) return false;
        TakeIds(sent.Slice(TraceAt, TraceLength), sent.Slice(SpanAt, SpanLength));
        // Two flags have a meaning (sampled, and random from level 2); others are not passed on.
        var flags = HexValue(sent[FlagsAt + 1]) & 3;
        parent[FlagsAt + 1] = (byte)('0' + flags);
        sampling = (flags & 1) != 0 ? B3Sampling.Accept : B3Sampling.Deny;
        return true;
    }

    // trace-span[-sampling[-parent]], or the sampling alone.
    private bool TakeB3(FieldTable fields)
    {
        if (!fields.TryGet("b3"u8, out var text)) return false;
        if (text.Length == 1)
        {
            TakeSampling(text[0]);
            return false;
        }
        var dash = text.IndexOf((byte)'-');
        if (dash is not (SpanLength or TraceLength) || text.Length < dash + 1 + SpanLength) return false;
        var trace = text[..dash];
        var span = text.Slice(dash + 1, SpanLength);
        var rest = text[(dash + 1 + SpanLength)..];
        if (!IsNumber(trace) || !IsNumber(span) || (!rest.IsEmpty && (rest.Length < 2 || rest[0] != '-'))) return false;
        if (!rest.IsEmpty && !TakeSampling(rest[1])) return false;
        TakeIds(trace, span);
        TakeFlags();
        return true;
    }

    private bool TakeB3Multi(FieldTable fields)
    {
        if (fields.TryGet("x-b3-flags"u8, out var flags) && flags.SequenceEqual("1"u8)) sampling = B3Sampling.Debug;
        else if (fields.TryGet("x-b3-sampled"u8, out var sampled) && !sampled.IsEmpty)
        {
            // Old senders write true and false.
            TakeSampling(sampled[0] switch { (byte)'t' or (byte)'T' => (byte)'1', (byte)'f' or (byte)'F' => (byte)'0',
                var other => other });
        }
        if (!fields.TryGet("x-b3-traceid"u8, out var trace) || !fields.TryGet("x-b3-spanid"u8, out var span)
            || trace.Length is not (SpanLength or TraceLength) || span.Length != SpanLength
            || !IsNumber(trace) || !IsNumber(span)) return false;
        TakeIds(trace, span);
        TakeFlags();
        return true;
    }

    private bool TakeSampling(byte text)
    {
        if (text is not ((byte)'0' or (byte)'1' or (byte)'d')) return false;
        sampling = (B3Sampling)text;
        return true;
    }

    // An id of 64 bits is one of 128 with zeros before it.
    private void TakeIds(ReadOnlySpan<byte> trace, ReadOnlySpan<byte> span)
    {
        parent.AsSpan(TraceAt, TraceLength - trace.Length).Fill((byte)'0');
        trace.CopyTo(parent.AsSpan(TraceAt + TraceLength - trace.Length));
        span.CopyTo(caller);
        hasCaller = true;
    }

    private void TakeFlags() =>
        parent[FlagsAt + 1] = (byte)(sampling is B3Sampling.Accept or B3Sampling.Debug ? '1' : '0');

    private void BeginTrace()
    {
        Span<byte> random = stackalloc byte[TraceLength / 2];
        Random.Shared.NextBytes(random);
        random[0] |= 1; // All zeros mean "none".
        Convert.TryToHexStringLower(random, parent.AsSpan(TraceAt), out _);
        TakeFlags();
        BeginSpan();
    }

    private void BeginSpan()
    {
        Span<byte> random = stackalloc byte[SpanLength / 2];
        Random.Shared.NextBytes(random);
        random[0] |= 1;
        Convert.TryToHexStringLower(random, parent.AsSpan(SpanAt), out _);
    }

    private static bool IsAlone(FieldTable fields)
    {
        var count = 0;
        foreach (ref readonly var field in fields.Fields)
            if (field.Known == KnownField.TraceParent) count++;
        return count == 1;
    }

    // A later version may have more behind what we know, after a dash.
    private static bool IsValid(ReadOnlySpan<byte> text) =>
        text.Length >= Length && text[2] == '-' && text[SpanAt - 1] == '-' && text[SpanAt + SpanLength] == '-'
        && IsHex(text[..2]) && !text[..2].SequenceEqual("ff"u8)
        && (text.Length == Length || (!text[..2].SequenceEqual("00"u8) && text[Length] == '-'))
        && IsNumber(text.Slice(TraceAt, TraceLength)) && IsNumber(text.Slice(SpanAt, SpanLength))
        && IsHex(text.Slice(FlagsAt, 2));

    private static bool IsNumber(ReadOnlySpan<byte> text) => IsHex(text) && text.ContainsAnyExcept((byte)'0');

    private static bool IsHex(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(HexBytes);

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : digit - 'a' + 10;

    /// <summary>As it is written.</summary>
    private enum B3Sampling : byte
    {
        Unset,
        Deny = (byte)'0',
        Accept = (byte)'1',
        Debug = (byte)'d',
    }
}

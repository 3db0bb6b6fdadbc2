using System.Buffers;
using System.Text;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>
/// The trace that a request belongs to (W3C Trace Context): the client's when it is well formed, else a new one. Kept
/// as bytes; the text of the id is made only for who asks.
/// </summary>
internal sealed class TraceIdentity
{
    /// <summary>Bytes of <c>00-trace-span-flags</c>.</summary>
    private const int Length = 55;

    private const int TraceAt = 3;
    private const int TraceLength = 32;
    private const int SpanAt = TraceAt + TraceLength + 1;
    private const int SpanLength = 16;

    private static readonly SearchValues<byte> HexBytes = SearchValues.Create("0123456789abcdef"u8);

    private readonly byte[] parent = new byte[Length];

    /// <summary>What instances get.</summary>
    public ReadOnlySpan<byte> Parent => parent;

    /// <summary>True when the trace is the client's, whose state then goes with it.</summary>
    public bool IsContinued { get; private set; }

    public string TraceId => Encoding.ASCII.GetString(parent, TraceAt, TraceLength);

    public void Take(FieldTable fields)
    {
        var sent = fields.First(KnownField.TraceParent);
        IsContinued = IsValid(sent) && IsAlone(fields);
        if (IsContinued) sent.CopyTo(parent);
        else Begin();
    }

    /// <summary>Begins a new trace.</summary>
    public void Begin()
    {
        IsContinued = false;
        Span<byte> random = stackalloc byte[(TraceLength + SpanLength) / 2];
        Random.Shared.NextBytes(random);
        random[0] |= 1; // All zeros mean "none".
        random[TraceLength / 2] |= 1;
        "00-"u8.CopyTo(parent);
        WriteHex(random[..(TraceLength / 2)], parent.AsSpan(TraceAt));
        parent[SpanAt - 1] = (byte)'-';
        WriteHex(random[(TraceLength / 2)..], parent.AsSpan(SpanAt));
        "-00"u8.CopyTo(parent.AsSpan(SpanAt + SpanLength));
    }

    private static void WriteHex(ReadOnlySpan<byte> bytes, Span<byte> output) =>
        Convert.TryToHexStringLower(bytes, output, out _);

    private static bool IsAlone(FieldTable fields)
    {
        var count = 0;
        foreach (ref readonly var field in fields.Fields)
            if (field.Known == KnownField.TraceParent) count++;
        return count == 1;
    }

    private static bool IsValid(ReadOnlySpan<byte> text) =>
        text.Length == Length && text[2] == '-' && text[SpanAt - 1] == '-' && text[SpanAt + SpanLength] == '-'
        && IsHex(text[..2]) && !text[..2].SequenceEqual("ff"u8)
        && IsNumber(text.Slice(TraceAt, TraceLength)) && IsNumber(text.Slice(SpanAt, SpanLength)) && IsHex(text[^2..]);

    private static bool IsNumber(ReadOnlySpan<byte> text) => IsHex(text) && text.ContainsAnyExcept((byte)'0');

    private static bool IsHex(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(HexBytes);
}

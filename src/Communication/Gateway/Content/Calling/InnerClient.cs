using System.Buffers;
using System.Net;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Calling;

/// <summary>
/// The client of a request that the gateway makes for itself, or for the client that stands before it: it takes the
/// answer in, up to a number of bytes.
/// </summary>
/// <param name="address">Who is told to have asked.</param>
/// <param name="maxBytes">Bytes of the body that are kept; 0: it only passes by.</param>
internal sealed class InnerClient(IPAddress? address, byte[] addressText, bool isSecure, int maxBytes) : IClient
{
    private ArrayBufferWriter<byte>? body;
    private long received;
    private volatile bool gone;

    public IPAddress? Address => address;

    public ReadOnlySpan<byte> AddressText => addressText;

    public bool IsSecure => isSecure;

    public ReadOnlySpan<byte> Protocol => "1.1"u8;

    public bool IsGone => gone;

    public bool BodyTouched => false;

    public bool HasBegun { get; private set; }

    /// <summary>0 when none came.</summary>
    public int Status { get; private set; }

    /// <summary>True once the answer has come to its end, with nothing left out.</summary>
    public bool IsWhole { get; private set; }

    public bool IsTooLarge { get; private set; }

    /// <summary>True for an answer of an instance; false for a refusal of the gateway's own.</summary>
    public bool IsOfInstance { get; private set; }

    /// <summary>How it came, when it passed the cache.</summary>
    public string? CacheStatus { get; private set; }

    public byte[] ContentType { get; private set; } = [];

    public byte[] ContentCoding { get; private set; } = [];

    public long Received => received;

    public ReadOnlyMemory<byte> Body => body?.WrittenMemory ?? default;

    /// <summary>Nobody wants the answer any more.</summary>
    public void Leave() => gone = true;

    public ValueTask AskForBodyAsync() => ValueTask.CompletedTask;

    public ValueTask<int> ReadBodyAsync(Memory<byte> into) => ValueTask.FromResult(0);

    public void GiveUpBody()
    {
        // There is none.
    }

    public ValueTask InterimAsync(ResponseHead head) => ValueTask.CompletedTask;

    public void Begin(AnswerHead head)
    {
        body = null;
        received = 0;
        Status = head.Status;
        IsOfInstance = head.From is not null || head.Own.Count > 0;
        foreach (var (name, value) in head.Added)
            if (name == "Cache-Status") CacheStatus = value;
        ContentType = head.Find("content-type"u8).ToArray();
        ContentCoding = head.Find("content-encoding"u8).ToArray();
        IsTooLarge = maxBytes > 0 && head.ContentLength > maxBytes;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        HasBegun = true;
        received += bytes.Length;
        if (maxBytes == 0 || IsTooLarge) return;
        if (received > maxBytes)
        {
            IsTooLarge = true;
            body = null;
            return;
        }
        (body ??= new ArrayBufferWriter<byte>()).Write(bytes);
    }

    public Memory<byte> Room(int bytes) => default;

    public void Advance(int bytes) => throw new InvalidOperationException("There was no room to fill.");

    public void End(FieldTable? trailers)
    {
        HasBegun = true;
        IsWhole = !IsTooLarge;
    }

    // What is too large is not read to its end.
    public ValueTask<bool> FlushAsync()
    {
        HasBegun = true;
        return ValueTask.FromResult(!gone && !(IsTooLarge && maxBytes > 0));
    }

    public void Abort()
    {
        gone = true;
        IsWhole = false;
    }
}

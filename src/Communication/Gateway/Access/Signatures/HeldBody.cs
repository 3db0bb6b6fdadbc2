using System.Buffers;
using System.Net;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Access.Signatures;

/// <summary>A client whose body has been read already: it is given out of memory.</summary>
internal sealed class HeldBody(IClient client, int most) : IClient, IHeld
{
    /// <summary>Bytes to begin with.</summary>
    private const int FirstBytes = 4 * 1_024;

    private byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Min(FirstBytes, most + 1));
    private int length;
    private int given;

    public ReadOnlySpan<byte> Bytes => buffer.AsSpan(0, length);

    public IPAddress? Address => client.Address;

    public ReadOnlySpan<byte> AddressText => client.AddressText;

    public bool IsSecure => client.IsSecure;

    public System.Security.Cryptography.X509Certificates.X509Certificate2? Certificate => client.Certificate;

    public ReadOnlySpan<byte> Protocol => client.Protocol;

    public bool IsGone => client.IsGone;

    public bool BodyTouched => given > 0;

    public bool HasBegun => client.HasBegun;

    /// <summary>Reads the body to its end. False when it is larger than may be.</summary>
    /// <exception cref="ClientBodyException">The client broke off, is too slow, or sent something else.</exception>
    public async ValueTask<bool> TakeAsync()
    {
        await client.AskForBodyAsync();
        while (true)
        {
            if (length == buffer.Length) Grow();
            var count = await client.ReadBodyAsync(buffer.AsMemory(length));
            if (count == 0) return true;
            length += count;
            if (length > most) return false;
        }
    }

    public ValueTask AskForBodyAsync() => ValueTask.CompletedTask; // It has been.

    public ValueTask<int> ReadBodyAsync(Memory<byte> into)
    {
        var count = Math.Min(into.Length, length - given);
        buffer.AsMemory(given, count).CopyTo(into);
        given += count;
        return ValueTask.FromResult(count);
    }

    public void GiveUpBody()
    {
        // Nobody waits for it.
    }

    public ValueTask InterimAsync(ResponseHead head) => client.InterimAsync(head);

    public void Begin(AnswerHead head) => client.Begin(head);

    public void Write(ReadOnlySpan<byte> bytes) => client.Write(bytes);

    public Memory<byte> Room(int bytes) => client.Room(bytes);

    public void Advance(int bytes) => client.Advance(bytes);

    public void End(FieldTable? trailers) => client.End(trailers);

    public ValueTask<bool> FlushAsync() => client.FlushAsync();

    public void Abort() => client.Abort();

    public void End(Exchange exchange)
    {
        var held = buffer;
        buffer = [];
        (length, given) = (0, 0);
        ArrayPool<byte>.Shared.Return(held);
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        Bytes.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}

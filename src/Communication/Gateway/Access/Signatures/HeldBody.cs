using System.Buffers;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;

namespace Groundwork.Communication.Gateway.Access.Signatures;

/// <summary>A client whose body has been read already: it is given out of memory.</summary>
internal sealed class HeldBody(IClient client, int most) : PassingClient(client), IHeld
{
    /// <summary>Bytes to begin with.</summary>
    private const int FirstBytes = 4 * 1_024;

    private byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Min(FirstBytes, most + 1));
    private int length;
    private int given;

    public ReadOnlySpan<byte> Bytes => buffer.AsSpan(0, length);

    public override bool BodyTouched => given > 0;

    /// <summary>Reads the body to its end. False when it is larger than may be.</summary>
    /// <exception cref="ClientBodyException">The client broke off, is too slow, or sent something else.</exception>
    public async ValueTask<bool> TakeAsync()
    {
        await Next.AskForBodyAsync();
        while (true)
        {
            if (length == buffer.Length) Grow();
            var count = await Next.ReadBodyAsync(buffer.AsMemory(length));
            if (count == 0) return true;
            length += count;
            if (length > most) return false;
        }
    }

    public override ValueTask AskForBodyAsync() => ValueTask.CompletedTask; // It has been.

    public override ValueTask<int> ReadBodyAsync(Memory<byte> into)
    {
        var count = Math.Min(into.Length, length - given);
        buffer.AsMemory(given, count).CopyTo(into);
        given += count;
        return ValueTask.FromResult(count);
    }

    public override void GiveUpBody()
    {
        // Nobody waits for it.
    }

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

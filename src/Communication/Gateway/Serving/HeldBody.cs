using System.Buffers;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;

namespace Groundwork.Communication.Gateway.Serving;

/// <summary>
/// A client whose body, or the beginning of it, has been read already: that is given out of memory, and what follows as
/// it comes.
/// </summary>
/// <param name="most">Bytes that are held; with one more it is known that there are more.</param>
/// <param name="asks">True: the client is told to send it, for which one that expects a <c>100 Continue</c> waits.
/// </param>
internal sealed class HeldBody(IClient client, int most, bool asks) : PassingClient(client), IHeld
{
    /// <summary>Bytes to begin with.</summary>
    private const int FirstBytes = 4 * 1_024;

    private byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Min(FirstBytes, most + 1));
    private int length;
    private int given;

    public ReadOnlySpan<byte> Bytes => buffer.AsSpan(0, length);

    /// <summary>True when that is all of it.</summary>
    public bool IsWhole { get; private set; }

    public override bool BodyTouched => given > 0;

    /// <summary>Reads until the end, or until it is more than is held.</summary>
    /// <exception cref="ClientBodyException">The client broke off, is too slow, or sent something else.</exception>
    public async ValueTask TakeAsync()
    {
        // Who did not say that he waits does not get a 100 that he never asked for.
        if (asks) await Next.AskForBodyAsync();
        while (length <= most)
        {
            if (length == buffer.Length) Grow();
            var count = await Next.ReadBodyAsync(buffer.AsMemory(length));
            if (count == 0)
            {
                IsWhole = true;
                return;
            }
            length += count;
        }
    }

    public override ValueTask AskForBodyAsync() => ValueTask.CompletedTask; // It has been.

    public override ValueTask<int> ReadBodyAsync(Memory<byte> into)
    {
        if (given == length) return IsWhole ? ValueTask.FromResult(0) : Next.ReadBodyAsync(into);
        var count = Math.Min(into.Length, length - given);
        buffer.AsMemory(given, count).CopyTo(into);
        given += count;
        return ValueTask.FromResult(count);
    }

    public override void GiveUpBody()
    {
        if (!IsWhole) Next.GiveUpBody(); // Nobody waits for what is here.
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

namespace Groundwork.Communication.Dns.Answering;

/// <summary>Instances that may be answered, drawn so that the first of an answer follow the weights.</summary>
internal sealed class CalleeSet
{
    /// <summary>
    /// Instances in one answer. More would not fit a datagram, and nobody connects to sixty-five of them.
    /// </summary>
    public const int MaxDrawn = 64;

    private readonly Callee[] callees;
    private readonly long[] weightsUpTo; // Inclusive sums.

    public CalleeSet(Callee[] callees)
    {
        this.callees = callees;
        weightsUpTo = new long[callees.Length];
        var sum = 0L;
        for (var at = 0; at < callees.Length; at++) weightsUpTo[at] = sum += callees[at].Weight;
    }

    public int Count => callees.Length;

    public Callee this[int place] => callees[place];

    /// <summary>Draws each at most once, the heavier the sooner.</summary>
    /// <param name="into">Of <see cref="MaxDrawn"/> places.</param>
    /// <returns>How many were drawn.</returns>
    public int Draw(Span<int> into) => callees.Length <= MaxDrawn ? Order(into) : Sample(into);

    // Each gets an arrival time of its own rate: they arrive in the order of draws without replacement.
    private int Order(Span<int> into)
    {
        Span<double> arrivals = stackalloc double[callees.Length];
        for (var at = 0; at < callees.Length; at++)
        {
            into[at] = at;
            arrivals[at] = -Math.Log(1 - Random.Shared.NextDouble()) / callees[at].Weight;
        }
        arrivals.Sort(into[..callees.Length]);
        return callees.Length;
    }

    private int Sample(Span<int> into)
    {
        var drawn = 0;
        Span<ulong> taken = callees.Length <= 32_768 ? stackalloc ulong[(callees.Length + 63) / 64] : new ulong[
            (callees.Length + 63) / 64];
        taken.Clear();
        // A few heavy ones may be drawn again and again: then the answer is shorter.
        for (var tries = 0; drawn < MaxDrawn && tries < MaxDrawn * 4; tries++)
        {
            var point = Random.Shared.NextInt64(weightsUpTo[^1]) + 1;
            var at = Array.BinarySearch(weightsUpTo, point);
            if (at < 0) at = ~at;
            var bit = 1UL << (at & 63);
            if ((taken[at >> 6] & bit) != 0) continue;
            taken[at >> 6] |= bit;
            into[drawn++] = at;
        }
        return drawn;
    }
}

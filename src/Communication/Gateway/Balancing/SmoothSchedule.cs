namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// Whose turn it is: a round in which each index comes as often as its weight says, and never all at once. The round is
/// made beforehand (as nginx does it step by step), so that taking a turn is one addition.
/// </summary>
internal sealed class SmoothSchedule
{
    /// <summary>Turns of one round: beyond it weights are made coarser.</summary>
    public const int MaxTurns = 16 * 1024;

    private readonly ushort[] turns;
    private long taken = -1; // Interlocked.

    private SmoothSchedule(ushort[] turns) => this.turns = turns;

    public int Length => turns.Length;

    public static SmoothSchedule Of(ReadOnlySpan<int> weights)
    {
        var divisor = 0;
        var sum = 0L;
        foreach (var weight in weights)
        {
            divisor = Divisor(divisor, weight);
            sum += weight;
        }
        var scale = Math.Max(divisor, (double)sum / MaxTurns);
        var shares = new int[weights.Length];
        for (var index = 0; index < weights.Length; index++)
            shares[index] = Math.Max(1, (int)Math.Round(weights[index] / scale));
        var round = new ushort[shares.Sum()];
        var credits = new int[shares.Length];
        for (var turn = 0; turn < round.Length; turn++)
        {
            var best = 0;
            for (var index = 0; index < shares.Length; index++)
            {
                credits[index] += shares[index];
                if (credits[index] > credits[best]) best = index;
            }
            credits[best] -= round.Length;
            round[turn] = (ushort)best;
        }
        return new SmoothSchedule(round);
    }

    /// <summary>The index whose turn it is.</summary>
    public int Next() => turns[(ulong)Interlocked.Increment(ref taken) % (ulong)turns.Length];

    private static int Divisor(int a, int b)
    {
        while (b != 0) (a, b) = (b, a % b);
        return a;
    }
}

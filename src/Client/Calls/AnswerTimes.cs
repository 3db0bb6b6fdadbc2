namespace Groundwork.Client.Calls;

/// <summary>
/// How long the last answers of a method took to begin, for its 95th percentile. Thread-safe; a lost race costs one
/// sample.
/// </summary>
internal sealed class AnswerTimes
{
    private const int Samples = 512;

    /// <summary>Fewer say nothing of one in twenty.</summary>
    private const int Enough = 40;

    /// <summary>Answers between two looks: sorting costs some ten microseconds.</summary>
    private const int Between = 32;

    private readonly long[] ticks = new long[Samples];
    private int count;
    private long percentileTicks = -1;

    /// <summary>Null while too few were measured.</summary>
    public TimeSpan? Percentile95 =>
        Volatile.Read(ref percentileTicks) is >= 0 and var found ? TimeSpan.FromTicks(found) : null;

    public void Add(TimeSpan length)
    {
        var at = (uint)(Interlocked.Increment(ref count) - 1);
        Volatile.Write(ref ticks[at % Samples], length.Ticks);
        if (at + 1 >= Enough && at % Between == 0) Look((int)Math.Min(at + 1, Samples));
    }

    private void Look(int measured)
    {
        var sorted = ticks.AsSpan(0, measured).ToArray();
        Array.Sort(sorted);
        Volatile.Write(ref percentileTicks, sorted[(int)(measured * 0.95)]);
    }
}

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// Counters that many processors add to at once: each has a row of its own, so that no line of cache goes to and fro,
/// and whoever reads adds the rows up.
/// </summary>
internal sealed class ShardedCells
{
    /// <summary>Rows: more processors share them, which costs a little and is never wrong.</summary>
    private const int MaxRows = 16;

    /// <summary>Cells between two rows: two lines of cache, since processors fetch them in pairs.</summary>
    private const int Gap = 16;

    private readonly long[][] rows = new long[Math.Min(MaxRows, Environment.ProcessorCount)][];

    public ShardedCells(int count)
    {
        Count = count;
        for (var index = 0; index < rows.Length; index++) rows[index] = new long[count + Gap];
    }

    public int Count { get; }

    /// <summary>The row of the processor that asks; added to by <see cref="Add"/>.</summary>
    public long[] Mine => rows[Thread.GetCurrentProcessorId() % rows.Length];

    public static void Add(long[] row, int cell, long amount) => Interlocked.Add(ref row[cell], amount);

    public long this[int cell]
    {
        get
        {
            var sum = 0L;
            foreach (var row in rows) sum += Interlocked.Read(ref row[cell]);
            return sum;
        }
    }

    public long[] Read(int from, int count)
    {
        var sums = new long[count];
        for (var cell = 0; cell < count; cell++) sums[cell] = this[from + cell];
        return sums;
    }
}

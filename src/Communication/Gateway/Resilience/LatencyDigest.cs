using System.Numerics;

namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>
/// How long answers of an upstream took to begin in the last ten to twenty seconds, in steps of nine percent. Counting
/// takes no lock; which one is the slowest of twenty is worked out a few times a second. Thread-safe.
/// </summary>
internal sealed class LatencyDigest(TimeProvider time)
{
    /// <summary>Fewer answers say nothing about the slowest of them.</summary>
    public const int MinSamples = 20;

    /// <summary>Steps to each doubling of the time.</summary>
    private const int Steps = 8;

    /// <summary>Doublings, from a microsecond to two minutes.</summary>
    private const int Doublings = 27;

    /// <summary>The answers of one and a part of another are looked at.</summary>
    private static readonly TimeSpan Part = TimeSpan.FromSeconds(10);

    /// <summary>How long a quantile is good for.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();
    private int[] counts = new int[Steps * Doublings]; // Swapped under the gate, added to without it.
    private int[] before = new int[Steps * Doublings]; // Of the part before. Under the gate.
    private long began = time.GetTimestamp(); // Of this part. Under the gate, read without it.
    private long worked; // Timestamp of the quantile. Under the gate, read without it.
    private long micros; // The quantile; 0: not enough is known. Under the gate, read without it.

    public void Took(TimeSpan length)
    {
        if (time.GetElapsedTime(Volatile.Read(ref began)) >= Part) Turn();
        Interlocked.Increment(ref Volatile.Read(ref counts)[IndexOf((long)length.TotalMicroseconds)]);
    }

    /// <summary>The time that 95 of 100 stayed below; null while too few were measured.</summary>
    public TimeSpan? P95
    {
        get
        {
            if (time.GetElapsedTime(Volatile.Read(ref began)) >= Part) Turn();
            var last = Volatile.Read(ref worked);
            if (last == 0 || time.GetElapsedTime(last) >= Fresh) Work();
            return Volatile.Read(ref micros) is > 0 and var found ? TimeSpan.FromMicroseconds(found) : null;
        }
    }

    private void Turn()
    {
        lock (gate)
        {
            var passed = time.GetElapsedTime(began);
            if (passed < Part) return;
            // After a pause nothing of what was before says anything.
            before = passed < 2 * Part ? counts : new int[counts.Length];
            Volatile.Write(ref counts, new int[before.Length]);
            Volatile.Write(ref began, time.GetTimestamp());
        }
    }

    private void Work()
    {
        lock (gate)
        {
            var total = 0L;
            for (var index = 0; index < counts.Length; index++) total += counts[index] + before[index];
            var (rank, below, found) = ((total * 95 + 99) / 100, 0L, 0L);
            for (var index = 0; index < counts.Length && total >= MinSamples && found == 0; index++)
            {
                below += counts[index] + before[index];
                if (below >= rank) found = UpperOf(index);
            }
            Volatile.Write(ref micros, found);
            Volatile.Write(ref worked, Math.Max(1, time.GetTimestamp()));
        }
    }

    private static int IndexOf(long micros)
    {
        var value = (ulong)Math.Clamp(micros, 1, (1L << Doublings) - 1);
        var doubling = BitOperations.Log2(value);
        // The part of the way to the next doubling, in steps that are even in the time, not in its logarithm.
        var step = (int)(((value - (1UL << doubling)) * Steps) >> doubling);
        return (doubling * Steps) + step;
    }

    private static long UpperOf(int index)
    {
        var (doubling, step) = (index / Steps, index % Steps);
        return (1L << doubling) + (((long)(step + 1) << doubling) / Steps);
    }
}

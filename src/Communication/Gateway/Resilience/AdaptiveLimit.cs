namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>
/// How many requests an upstream bears at once, found by the time of its answers: the ratio of what they take without a
/// queue to what they take now says how much of the load waits there (the gradient of Netflix's concurrency-limits and
/// Envoy's filter). What they take without a queue is measured again and again, by calling less for a moment: a mean
/// would take a lasting queue for usual. Where requests fail the limit shrinks by a tenth. Thread-safe.
/// </summary>
internal sealed class AdaptiveLimit(AdaptiveSpec spec, TimeProvider time)
{
    /// <summary>Answers of which one mean is made: fewer are chance.</summary>
    private const int MinSamples = 10;

    /// <summary>How much slower than without a queue answers may be before the limit shrinks.</summary>
    private const double Tolerance = 1.5;

    /// <summary>How much of a newly found limit counts: the rest is the one before it.</summary>
    private const double Smoothing = 0.3;

    /// <summary>What is left of the limit while it is measured: a queue of about as many as are worked on ends.
    /// </summary>
    private const double ProbeShare = 0.4;

    /// <summary>Windows of it; the first ends the queue, and the others count.</summary>
    private const int ProbeWindows = 3;

    /// <summary>Three windows in so long cost two percent of what could be done.</summary>
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(10);

    /// <summary>What is left after a window with failures.</summary>
    private const double Backoff = 0.9;

    /// <summary>The shortest window: of answers that take no time many come in it.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private double limit = spec.Initial; // Under the gate.
    private double unloaded; // Ticks, without a queue; 0 before the first window. Under the gate.
    private int probing; // Windows left of a measurement. Under the gate.
    private double found; // The least of this measurement. Under the gate.
    private double saved; // The limit before it. Under the gate.
    private long probed = time.GetTimestamp(); // The last measurement. Under the gate.
    private double sum; // Ticks of this window. Under the gate.
    private int samples; // Of this window. Under the gate.
    private int mostUnderWay; // Of this window. Under the gate.
    private bool failed; // In this window. Under the gate.
    private long began = time.GetTimestamp(); // Of this window. Under the gate.

    public AdaptiveSpec Spec => spec;

    /// <summary>An answer has begun, or a call has failed for too much load; the limit from now on, if it has
    /// changed.</summary>
    /// <param name="underWay">Requests under way with this one.</param>
    public int? Take(TimeSpan length, int underWay, bool overloaded)
    {
        lock (gate)
        {
            failed |= overloaded;
            mostUnderWay = Math.Max(mostUnderWay, underWay);
            if (!overloaded)
            {
                sum += Math.Max(1, length.Ticks);
                samples++;
            }
            if ((samples < MinSamples && !failed) || time.GetElapsedTime(began) < Window) return null;
            var before = (int)limit;
            Adjust();
            (sum, samples, mostUnderWay, failed, began) = (0, 0, 0, false, time.GetTimestamp());
            return (int)limit == before ? null : (int)limit;
        }
    }

    /// <summary>The limit, what answers take without a queue as far as is known, and whether that is being measured.
    /// </summary>
    public (int Limit, TimeSpan? Unloaded, bool Measuring) Read()
    {
        lock (gate) return ((int)limit, unloaded == 0 ? null : TimeSpan.FromTicks((long)unloaded), probing > 0);
    }

    private void Adjust()
    {
        if (failed)
        {
            if (probing > 0) (probing, limit) = (0, saved);
            limit = Math.Max(spec.Least, limit * Backoff);
            return;
        }
        var now = sum / samples;
        if (probing > 0)
        {
            Probe(now);
            return;
        }
        if (unloaded == 0) unloaded = now;
        else if (now < unloaded) unloaded += (now - unloaded) * Smoothing;
        // Who does not use half of the limit says nothing about it.
        if (mostUnderWay < limit / 2) return;
        if (time.GetElapsedTime(probed) >= ProbeEvery)
        {
            (saved, found, probing) = (limit, double.MaxValue, ProbeWindows);
            limit = Math.Max(spec.Least, limit * ProbeShare);
            return;
        }
        var gradient = Math.Clamp(Tolerance * unloaded / now, 0.5, 1);
        var wanted = (limit * gradient) + Math.Sqrt(limit); // The root: room for a queue, so that it can grow.
        limit = Math.Clamp((limit * (1 - Smoothing)) + (wanted * Smoothing), spec.Least, spec.Most);
    }

    private void Probe(double now)
    {
        if (probing < ProbeWindows) found = Math.Min(found, now);
        if (--probing > 0) return;
        (unloaded, limit, probed) = (found, saved, time.GetTimestamp());
    }
}

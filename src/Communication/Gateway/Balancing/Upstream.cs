using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// The gateway's own memory of one incarnation of an instance: requests under way, and how calls went.
/// </summary>
internal sealed class Upstream(Instance instance, GatewayOptions options, TimeProvider time)
{
    /// <summary>The share that a new instance gets at first: enough to warm up by.</summary>
    private const double FirstShare = 0.1;

    private readonly Silence silence = new(options.SilenceLimit, time);
    private readonly Latency latency = new(time);
    private readonly long since = time.GetTimestamp();
    private int underWay;
    private int trials; // 0 or 1.

    public InstanceKey Key { get; } = instance.Key;

    /// <summary>What requests are sent to; without a path.</summary>
    public Uri Address { get; } =
        new UriBuilder(instance.Scheme, instance.Host.Contains(
            ':', StringComparison.Ordinal) ? $"[{instance.Host.Trim('[', ']')}]" : instance.Host, instance.Port).Uri;

    /// <summary>A number for it, the same on every node.</summary>
    public ulong Identity { get; } = KeyHash.Of(instance.Key.ToString());

    /// <summary>False for an address that the registry knows nothing of.</summary>
    public bool IsRegistered { get; init; } = true;

    /// <summary>What it is told under <c>Host</c>; null: its own address.</summary>
    public string? Authority { get; init; }

    /// <summary>How TLS is spoken with it; null: as the system has it.</summary>
    public Upstreams.UpstreamTls? Tls { get; init; }

    /// <summary>True for one that is called over HTTP/2, as gRPC needs it.</summary>
    public bool SpeaksHttp2 { get; init; }

    /// <summary>True for one that came while the gateway ran.</summary>
    public bool IsNew { get; init; }

    public Ejection Ejection { get; } = new(options, time);

    /// <summary>The figures of those that it is one of; set before it is chosen.</summary>
    public Recording.UpstreamSeries? Series { get; set; }

    /// <summary>How long it took of late to begin an answer, in ticks; 0 when nothing is known.</summary>
    public double Latency => LatencyAt(time.GetTimestamp());

    public int UnderWay => Volatile.Read(ref underWay);

    /// <summary>
    /// True while something speaks against it: it is or was ejected, its last call failed, or it is silent. Then one
    /// request at a time may find out, of the kind that can be repeated elsewhere.
    /// </summary>
    private bool IsDoubted(long now) => Ejection.IsOut || Ejection.IsSuspect || silence.IsSilent(now);

    /// <summary>What is said of it: <c>in</c>, <c>suspect</c>, <c>silent</c>, <c>out</c> or <c>trial</c>.</summary>
    public string Standing => Ejection switch
    {
        { IsOut: true, Left.Ticks: > 0 } => "out",
        { IsOut: true } => "trial",
        { IsSuspect: true } => "suspect",
        _ => silence.IsSilent(time.GetTimestamp()) ? "silent" : "in",
    };

    /// <summary>True when it is the same process at the same place, so that what is known of it still holds.</summary>
    public bool Is(Instance other) =>
        instance.Key == other.Key && instance.Incarnation == other.Incarnation
        && instance.Host == other.Host && instance.Port == other.Port && instance.Scheme == other.Scheme;

    public bool HasRoom => UnderWay < options.MaxRequestsPerInstance;

    /// <summary>How much of its share it can take, from a tenth to all: a new one grows into it.</summary>
    public double Readiness(TimeSpan slowStart, long now)
    {
        if (!IsNew || slowStart == TimeSpan.Zero) return 1;
        return Math.Clamp(time.GetElapsedTime(since, now) / slowStart, FirstShare, 1);
    }

    /// <summary>True when nothing speaks against sending it this request.</summary>
    public bool CanTake(bool repeatable, long now) =>
        HasRoom
        && Ejection.Allows(repeatable, now)
        && (repeatable || !silence.IsSilent(now))
        && !(IsDoubted(now) && Volatile.Read(ref trials) != 0);

    /// <summary>
    /// True when only a doubt speaks against it, which counts for nothing where there is nobody better.
    /// </summary>
    public bool CanTakeDoubted() => HasRoom && !Ejection.IsOut;

    /// <summary>
    /// Takes a place; null when another request took the last one, or the trial, meanwhile.
    /// </summary>
    /// <param name="anyway">True when doubts are no reason, because there is nobody better.</param>
    /// <param name="now">Timestamp.</param>
    /// <param name="rival">Who came off worse.</param>
    public UpstreamCall? TryBegin(bool anyway, long now, Upstream? rival = null)
    {
        var loads = rival is null ? default : (UnderWay, rival.UnderWay);
        var trial = !anyway && IsDoubted(now);
        if (trial && Interlocked.CompareExchange(ref trials, 1, 0) != 0) return null;
        if (Interlocked.Increment(ref underWay) <= options.MaxRequestsPerInstance)
            return new UpstreamCall(this, trial) { Rival = rival, Loads = loads };
        Interlocked.Decrement(ref underWay);
        if (trial) EndTrial();
        return null;
    }

    internal double LatencyAt(long now) => latency.At(now);

    internal void Asked(long now) => silence.Asked(now);

    internal void Heard(bool answered, long asked, long now)
    {
        silence.Ended(answered, now);
        if (answered) latency.Took(time.GetElapsedTime(asked, now), now);
    }

    internal void Outrun(long asked, long now)
    {
        silence.Ended(answered: false, now);
        latency.Took(time.GetElapsedTime(asked, now), now); // And longer: nobody has waited for it.
    }

    internal void EndTrial() => Volatile.Write(ref trials, 0);

    internal void End() => Interlocked.Decrement(ref underWay);
}

/// <summary>A request's place at an instance; ended once. Belongs to the request.</summary>
internal sealed class UpstreamCall(Upstream upstream, bool trial)
{
    private bool onTrial = trial;
    private long asked;

    public Upstream Upstream => upstream;

    /// <summary>Who else was drawn, and came off worse; null where the choice was not between two.</summary>
    public Upstream? Rival { get; init; }

    /// <summary>What each of the two had under way when they were compared.</summary>
    public (int Own, int Rival) Loads { get; init; }

    /// <summary>For people.</summary>
    public override string ToString() => Rival is null
        ? $"{upstream.Key.Id}"
        : $"{upstream.Key.Id} with {Loads.Own} under way, before {Rival.Key.Id} with {Loads.Rival}";

    /// <summary>The request goes out; <see cref="Heard"/> follows.</summary>
    /// <param name="now">Timestamp.</param>
    public void Asked(long now)
    {
        asked = now;
        upstream.Asked(now);
    }

    /// <summary>
    /// An answer has begun, or will not. A trial is over with that, however long the answer then takes.
    /// </summary>
    public void Heard(bool answered, long now)
    {
        upstream.Heard(answered, asked, now);
        EndTrial();
    }

    /// <summary>Another one has answered first, and this one was told to stop.</summary>
    public void Outrun(long now)
    {
        upstream.Outrun(asked, now);
        EndTrial();
    }

    /// <summary>The answer has been passed on to its end, or given up.</summary>
    public void End()
    {
        EndTrial();
        upstream.End();
    }

    private void EndTrial()
    {
        if (!onTrial) return;
        onTrial = false;
        upstream.EndTrial();
    }
}

using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Limits;

/// <summary>A limit as the request path needs it: compiled.</summary>
internal sealed class LimitPolicy
{
    private readonly FrozenDictionary<byte[], LimitShape> exceptions;
    private readonly LimitSpec spec;

    private LimitPolicy(LimitSpec spec, PathPattern? path)
    {
        this.spec = spec;
        Key = LimitKey.Parse(spec.By, path);
        Shape = ShapeOf(spec, null);
        exceptions = (spec.Exceptions ?? []).ToFrozenDictionary(
            one => Key.Of(one.Value), one => ShapeOf(spec, one.Requests), KeyBytes.Comparer);
        var (quota, seconds) = (spec.Bucket is null ? Shape.Requests : Shape.Burst, SecondsOf(Shape));
        Policy = spec.Concurrent is null
            ? string.Create(CultureInfo.InvariantCulture, $"\"{Name}\";q={quota};w={seconds}")
            : string.Create(CultureInfo.InvariantCulture, $"\"{Name}\";q={quota};qu=\"concurrent-requests\"");
    }

    public string Name => spec.Name;

    public LimitSpec Spec => spec;

    public LimitKey Key { get; }

    /// <summary>What holds for a caller without a number of its own.</summary>
    public LimitShape Shape { get; }

    public int MaxKeys => spec.MaxKeys;

    public bool IsConcurrent => spec.Concurrent is not null;

    /// <summary>True when other nodes' requests count.</summary>
    public bool IsShared => spec.Shared && !IsConcurrent;

    /// <summary>True when what others have used before counts, too.</summary>
    public bool HasHistory => spec.Window is not null;

    /// <summary>True when every answer tells what is left.</summary>
    public bool Tells => spec.Tell;

    /// <summary>The <c>RateLimit-Policy</c> field.</summary>
    public string Policy { get; }

    /// <summary>False for one that this version does not understand.</summary>
    public static bool TryCompile(LimitSpec spec, PathPattern? path, [NotNullWhen(true)] out LimitPolicy? policy)
    {
        var faults = new List<FieldFault>();
        LimitRules.Check([spec], path, faults);
        policy = faults.Count == 0 ? new LimitPolicy(spec, path) : null;
        return policy is not null;
    }

    public LimitShape ShapeOf(ReadOnlySpan<byte> key) =>
        exceptions.Count > 0 && exceptions.TryGetValue(key.ToArray(), out var own) ? own : Shape;

    public ILimiter Make() => spec switch
    {
        { Bucket: not null } => new TokenBucket(),
        { Window: not null } => new SlidingWindow(),
        { Pace: not null } => new EvenPace(),
        _ => new AtOnce(),
    };

    private static LimitShape ShapeOf(LimitSpec spec, int? own)
    {
        var (usual, seconds) = spec switch
        {
            { Bucket: { } bucket } => (bucket.Requests, bucket.Seconds),
            { Window: { } window } => (window.Requests, window.Seconds),
            { Pace: { } pace } => (pace.Requests, pace.Seconds),
            _ => (spec.Concurrent ?? 1, 1),
        };
        var requests = own ?? usual;
        var burst = spec.Bucket?.Burst is { } given ? (int)Math.Max(1, (long)given * requests / usual) : requests;
        return new LimitShape(
            requests, TimeSpan.FromSeconds(seconds).Ticks, burst,
            TimeSpan.FromMilliseconds(spec.Pace?.MaxWaitMs ?? 0).Ticks, TimeSpan.FromSeconds(spec.WarmUpSeconds).Ticks);
    }

    // In which the quota comes again: that of a bucket is its burst.
    private static long SecondsOf(LimitShape shape) => Math.Max(
        1, (long)Math.Ceiling((double)shape.Period * shape.Burst / shape.Requests / TimeSpan.TicksPerSecond));
}

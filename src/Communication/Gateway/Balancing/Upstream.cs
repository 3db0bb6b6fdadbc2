using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// The gateway's own memory of one incarnation of an instance: requests under way, and how calls went.
/// </summary>
internal sealed class Upstream(Instance instance, GatewayOptions options, TimeProvider time)
{
    private int underWay;
    private int trials; // 0 or 1.

    public InstanceKey Key { get; } = instance.Key;

    /// <summary>What requests are sent to; without a path.</summary>
    public Uri Address { get; } =
        new UriBuilder(instance.Scheme, instance.Host.Contains(
            ':', StringComparison.Ordinal) ? $"[{instance.Host.Trim('[', ']')}]" : instance.Host, instance.Port).Uri;

    public Ejection Ejection { get; } = new(options, time);

    public int UnderWay => Volatile.Read(ref underWay);

    /// <summary>True when it is the same process at the same place, so that what is known of it still holds.</summary>
    public bool Is(Instance other) =>
        instance.Key == other.Key && instance.Incarnation == other.Incarnation
        && instance.Host == other.Host && instance.Port == other.Port && instance.Scheme == other.Scheme;

    public bool CanTake(bool repeatable) =>
        UnderWay < options.MaxRequestsPerInstance
        && Ejection.Allows(repeatable)
        && !(Ejection.IsOut && Volatile.Read(ref trials) != 0);

    /// <summary>
    /// Takes a place; false when another request took the last one, or the trial, meanwhile.
    /// </summary>
    /// <param name="anyway">True when every instance is out, and being so is no longer a reason.</param>
    public bool TryBegin(bool anyway, out bool trial)
    {
        trial = !anyway && Ejection.IsOut;
        if (trial && Interlocked.CompareExchange(ref trials, 1, 0) != 0) return false;
        if (Interlocked.Increment(ref underWay) <= options.MaxRequestsPerInstance) return true;
        End(trial);
        return false;
    }

    public void End(bool trial)
    {
        Interlocked.Decrement(ref underWay);
        if (trial) Volatile.Write(ref trials, 0);
    }
}

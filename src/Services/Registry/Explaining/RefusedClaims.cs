using Groundwork.Wire;

namespace Groundwork.Services.Registry.Explaining;

/// <summary>
/// The last refusals of registrations and renewals on this node: why an instance that seems to run is not there. In
/// memory alone, because whoever is refused asks again soon.
/// </summary>
internal sealed class RefusedClaims(TimeProvider time)
{
    /// <summary>Instances that are remembered; about 500 KB.</summary>
    private const int MaxInstances = 1_000;

    private readonly Lock gate = new();
    private readonly Dictionary<InstanceKey, RefusedClaim> claims = [];
    private readonly Queue<InstanceKey> order = new();

    /// <param name="what">Such as <c>registration</c>.</param>
    public void Note(InstanceKey key, string what, ErrorCode code, string principal)
    {
        lock (gate)
        {
            if (!claims.ContainsKey(key)) order.Enqueue(key);
            claims[key] = new RefusedClaim(what, code, principal, time.GetUtcNow());
            if (order.Count > MaxInstances) claims.Remove(order.Dequeue());
        }
    }

    public RefusedClaim? Find(InstanceKey key)
    {
        lock (gate) return claims.GetValueOrDefault(key);
    }
}

/// <summary>The last refusal for an instance.</summary>
internal sealed record RefusedClaim(string What, ErrorCode Code, string Principal, DateTimeOffset At);

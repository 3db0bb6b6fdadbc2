using System.Collections.Immutable;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>What happened to an instance lately, in one word.</summary>
internal sealed record EurekaDelta(Instance Instance, bool Callable, string Action, long At);

/// <summary>The applications at one moment, and what became of instances before it.</summary>
internal sealed record EurekaMoment(
    ImmutableArray<ServiceView> Applications, ImmutableArray<EurekaDelta> Deltas, long Version);

/// <summary>
/// What changed in the last minutes, for clients that fetch differences. It is found when somebody asks, by looking at
/// what was there when somebody asked before: where nobody does, nothing is done. Of each instance the last change
/// alone is told.
/// </summary>
internal sealed class EurekaDeltas
{
    /// <summary>How long a change is told: six of the usual fetches may fail.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromMinutes(3);

    /// <summary>
    /// Changes that are told; with more, a client sees by <c>apps__hashcode</c> that some are missing, and fetches all.
    /// </summary>
    public const int MaxDeltas = 20_000;

    private readonly EurekaApplications applications;
    private readonly TimeProvider time;
    private readonly Lock gate = new(); // Guards what follows; views are immutable.
    private readonly Dictionary<InstanceKey, EurekaDelta> deltas = [];
    private Dictionary<ServiceKey, ServiceView> seen;
    private EurekaMoment last;

    public EurekaDeltas(EurekaApplications applications, TimeProvider time)
    {
        this.applications = applications;
        this.time = time;
        last = new EurekaMoment(applications.All(), [], 1);
        seen = last.Applications.ToDictionary(view => view.Key);
    }

    /// <summary>The applications now, and what changed up to now.</summary>
    public EurekaMoment Look()
    {
        lock (gate)
        {
            var now = applications.All();
            var changed = Forget();
            if (!IsSame(now, last.Applications))
            {
                Compare(now);
                changed = true;
            }
            if (changed)
                last = new EurekaMoment(
                    now, [.. deltas.Values.OrderBy(delta => delta.At).TakeLast(MaxDeltas)], last.Version + 1);
            return last;
        }
    }

    // A view is another object with every change.
    private static bool IsSame(ImmutableArray<ServiceView> now, ImmutableArray<ServiceView> before)
    {
        if (now.Length != before.Length) return false;
        for (var at = 0; at < now.Length; at++)
            if (!ReferenceEquals(now[at], before[at])) return false;
        return true;
    }

    private void Compare(ImmutableArray<ServiceView> now)
    {
        var known = seen;
        seen = now.ToDictionary(view => view.Key);
        foreach (var view in now)
            if (!known.Remove(view.Key, out var before)) Compare([], view.Instances, before: null, view);
            else if (!ReferenceEquals(before, view)) Compare(before.Instances, view.Instances, before, view);
        foreach (var gone in known.Values) Compare(gone.Instances, [], gone, after: null);
    }

    // Both are in order of id.
    private void Compare(
        ImmutableArray<Instance> old, ImmutableArray<Instance> now, ServiceView? before, ServiceView? after)
    {
        var (wasCallable, isCallable) = (CallableIn(before), CallableIn(after));
        int left = 0, right = 0;
        while (left < old.Length || right < now.Length)
        {
            var order = left == old.Length ? 1
                : right == now.Length ? -1
                : string.CompareOrdinal(old[left].Key.Id, now[right].Key.Id);
            if (order < 0)
            {
                Note(old[left++], callable: false, EurekaInstance.Deleted);
            }
            else if (order > 0)
            {
                var added = now[right++];
                // A client that has not heard of the deletion has it still, and takes no addition.
                Note(added, isCallable.Contains(added), deltas.ContainsKey(added.Key)
                    ? EurekaInstance.Modified : EurekaInstance.Added);
            }
            else
            {
                var (was, its) = (old[left++], now[right++]);
                var callable = isCallable.Contains(its);
                if (callable != wasCallable.Contains(was) || IsOther(was, its))
                    Note(its, callable, EurekaInstance.Modified);
            }
        }
    }

    private static bool IsOther(Instance was, Instance its) => !ReferenceEquals(was, its)
        && (!Sameness.Of(was, its) || was.Health != its.Health || was.Override != its.Override);

    private static HashSet<Instance> CallableIn(ServiceView? view) =>
        view is null ? [] : new HashSet<Instance>(view.Callable, ReferenceEqualityComparer.Instance);

    private void Note(Instance instance, bool callable, string action) =>
        deltas[instance.Key] = new EurekaDelta(instance, callable, action, time.GetTimestamp());

    private bool Forget()
    {
        var old = deltas.Values.Where(delta => time.GetElapsedTime(delta.At) > Retention).ToArray();
        foreach (var delta in old) deltas.Remove(delta.Instance.Key);
        if (deltas.Count <= 2 * MaxDeltas) return old.Length > 0;
        // Many instances come and go: what is oldest is no longer told.
        foreach (var delta in deltas.Values.OrderBy(delta => delta.At).Take(deltas.Count - MaxDeltas).ToArray())
            deltas.Remove(delta.Instance.Key);
        return true;
    }
}

using System.Text;
using Groundwork.Services.Registry.Watching;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>Something over all services of a namespace, with an index of its own.</summary>
internal enum ConsulListKind
{
    /// <summary>Names of services with their tags: few changes of instances change it.</summary>
    Services,

    /// <summary>Names of machines.</summary>
    Machines,

    /// <summary>Every check of every instance.</summary>
    Everything,
}

/// <summary>
/// The indexes of what is over all services, and the waiting for them. What a list shows is summed up when it is asked
/// for, and four times a second while somebody waits; its index moves when that is another than before, to a number of
/// the store-wide sequence that is above all that were given. After a restart it is above them, too.
/// </summary>
internal sealed class ConsulLists(InstanceRegistry registry, TimeProvider time)
{
    /// <summary>Between two looks while somebody waits.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Blocking queries on lists at once; each is a connection. Those on one service have their own limit.
    /// </summary>
    public const int MaxWaiters = 2_000;

    /// <summary>Lists that are remembered: namespaces are named by whoever asks.</summary>
    private const int MaxLists = 1_000;

    private readonly Lock gate = new(); // Guards the lists.
    private readonly Dictionary<(ConsulListKind Kind, string Namespace), Known> lists = [];
    private readonly NewerViews newer = new(registry, time);
    private TaskCompletionSource looked = Fresh(); // Swapped with every look.
    private int waiters; // Interlocked.
    private long highest = 1; // Of all that were given. Guarded by the gate.

    /// <summary>The index of a list now.</summary>
    public long Look(ConsulListKind kind, string @namespace) => Look(kind, @namespace, waking: null);

    /// <summary>
    /// Waits until the index of a list is above the known one, until patience is over or the query ends. Null when too
    /// many wait.
    /// </summary>
    public async Task<long?> WaitAsync(
        ConsulListKind kind, string @namespace, long known, TimeSpan patience, CancellationToken ending)
    {
        var index = Look(kind, @namespace);
        // An index beyond what there can be is of another store: the client begins anew with ours.
        if (index > known || newer.IsForeign(known)) return index;
        if (Interlocked.Increment(ref waiters) > MaxWaiters)
        {
            Interlocked.Decrement(ref waiters);
            return null;
        }
        try
        {
            // Another node may have given it: what changes from now on is above it.
            Raise(kind, @namespace, known);
            var started = time.GetTimestamp();
            while (true)
            {
                var waking = Volatile.Read(ref looked); // Taken before the look, so that nothing falls between.
                index = Look(kind, @namespace, waking);
                var left = patience - time.GetElapsedTime(started);
                if (index > known || left <= TimeSpan.Zero || ending.IsCancellationRequested) return index;
                try
                {
                    await waking.Task.WaitAsync(left, time, ending);
                }
                catch (TimeoutException)
                {
                    // Looked at once more.
                }
                catch (OperationCanceledException)
                {
                    // The loop says how it stands.
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref waiters);
        }
    }

    /// <summary>Wakes those who wait when something may have changed.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var seen = 0L;
        var settling = 0;
        using var timer = new PeriodicTimer(LookInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (Volatile.Read(ref waiters) == 0) continue;
            var last = registry.Numbers.Last;
            // The view of a large service comes a little after its number.
            if (last != seen) settling = 8;
            else if (--settling < 0) continue;
            seen = last;
            Interlocked.Exchange(ref looked, Fresh()).TrySetResult();
        }
    }

    /// <param name="waking">Those who were woken together look once for all of them; null: anew.</param>
    private long Look(ConsulListKind kind, string @namespace, object? waking)
    {
        lock (gate)
        {
            if (lists.TryGetValue((kind, @namespace), out var known) && waking is not null && known.LookedFor == waking)
                return known.Index;
            var content = Sum(kind, @namespace);
            if (known is null)
            {
                if (lists.Count >= MaxLists) lists.Clear();
                lists[(kind, @namespace)] = known = new Known { Index = Math.Max(highest, registry.Numbers.Last) };
            }
            else if (known.Content != content)
            {
                known.Index = Math.Max(known.Index + 1, registry.Numbers.Last);
            }
            (known.Content, known.LookedFor) = (content, waking);
            highest = Math.Max(highest, known.Index);
            return known.Index;
        }
    }

    private void Raise(ConsulListKind kind, string @namespace, long seen)
    {
        lock (gate)
            if (lists.TryGetValue((kind, @namespace), out var known))
                highest = Math.Max(highest, known.Index = Math.Max(known.Index, seen));
    }

    private string Sum(ConsulListKind kind, string @namespace)
    {
        var views = registry.Views.Where(view => view.Key.Namespace == @namespace);
        if (kind == ConsulListKind.Everything)
        {
            long last = 0, count = 0;
            foreach (var view in views) (last, count) = (Math.Max(last, view.Index), count + view.Instances.Length);
            return FormattableString.Invariant($"{last} {count}");
        }
        var text = new StringBuilder();
        if (kind == ConsulListKind.Machines)
        {
            var machines = views.SelectMany(view => view.Instances)
                .Select(instance => ConsulExtension.Of(instance)?.Machine).OfType<ConsulMachine>()
                .Select(machine => $"{machine.Name}\n{machine.Address}\n").Distinct().Order(StringComparer.Ordinal);
            foreach (var machine in machines) text.Append(machine);
            return text.ToString();
        }
        foreach (var view in views.Where(view => !view.Instances.IsEmpty)
            .OrderBy(view => ProtocolNames.ToConsul(view.Key), StringComparer.Ordinal))
        {
            text.Append(ProtocolNames.ToConsul(view.Key));
            foreach (var tag in TagsOf(view)) text.Append('\0').Append(tag);
            text.Append('\n');
        }
        return text.ToString();
    }

    /// <summary>All tags of a service's instances, each once.</summary>
    public static IEnumerable<string> TagsOf(ServiceView view) =>
        view.Instances.SelectMany(instance => instance.Tags).Distinct().Order(StringComparer.Ordinal);

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Known
    {
        public string Content { get; set; } = "";

        public long Index { get; set; }

        public object? LookedFor { get; set; }
    }
}

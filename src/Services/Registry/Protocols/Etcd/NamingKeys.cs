using System.Collections.Immutable;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Services.Registry.Protocols.Sights;
using Groundwork.Services.Registry.Storing;
using Groundwork.Services.Registry.Watching;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Etcd;

/// <summary>
/// The registry as keys of etcd's own naming: <c>services/SERVICE/NAME</c>, one for each instance that traffic may go
/// to. The keys are found by looking at views of services, and each change of them takes a number of the store-wide
/// sequence as its revision, which is above all that were given before, over restarts too. What has changed lately is
/// kept in memory; whoever asks for more lists anew. Where nobody asks it holds nothing.
/// </summary>
public sealed class NamingKeys
{
    /// <summary>What the keys begin with.</summary>
    public const string Prefix = "services/";

    /// <summary>How long the first question waits for what is not written yet.</summary>
    private static readonly TimeSpan StorePatience = TimeSpan.FromSeconds(5);

    /// <summary>Between two rounds of looking: a storm of changes is looked at in pieces.</summary>
    private static readonly TimeSpan Coalescing = TimeSpan.FromMilliseconds(10);

    private readonly InstanceRegistry registry;
    private readonly RegistryAccess access;
    private readonly RegistryStore store;
    private readonly StoreSync sync;
    private readonly TimeProvider time;
    private readonly TaskCompletionSource<WatchSession> begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Guards all below, and comes before the gate of a service; who holds that never asks here.
    private readonly Lock gate = new();
    private readonly Dictionary<ServiceKey, Shown> services = [];
    private readonly Dictionary<InstanceKey, LeasedInstance> leased = [];
    private readonly Dictionary<ServiceKey, List<KeyWatcher>> watchers = [];
    private readonly List<KeyWatcher> wide = [];
    private NamingHistory? history; // From the first question on.
    private int watching;

    internal NamingKeys(ProtocolParts parts, RegistryStore store)
    {
        this.store = store;
        sync = parts.Sync;
        registry = parts.Registry;
        access = parts.Access;
        time = parts.Time;
        Writes = new NamingWrites(parts, this);
    }

    public NamingWrites Writes { get; }

    /// <summary>True once somebody has asked.</summary>
    public bool HasBegun => begun.Task.IsCompleted;

    /// <summary>Looks at what has changed, for those who watch.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        var session = await begun.Task.WaitAsync(cancellationToken);
        await using var atEnd = session.Changed.EndWith(cancellationToken);
        var touched = new List<ServiceState>();
        while (true)
        {
            session.Take(touched);
            foreach (var service in touched)
            {
                var view = service.View;
                lock (gate) Sync(service.Key);
                if (view is null or { Instances.IsEmpty: true }) session.Forget(service);
                else session.Sent(service, view.Index); // Who drains waits for that.
            }
            if (touched.Count > 0) await Task.Delay(Coalescing, time, cancellationToken);
            touched.Clear();
            if (await session.Changed.WaitAsync() == Woken.Ended) cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The keys of a service, or of all, with everything that has happened.</summary>
    /// <param name="service">As the keys name it; null: all.</param>
    /// <param name="at">As of that revision, from the floor up to now; null: now.</param>
    public NamingMoment Look(string? service, long? at = null)
    {
        lock (gate)
        {
            var changes = Begun();
            if (service is null)
            {
                foreach (var state in registry.Services) Sync(state.Key);
                return At(null, at, [.. services.Values.SelectMany(shown => shown.Keys.Values)]);
            }
            if (!ProtocolNames.OfEtcd(service).TryGet(out var key, out _))
                return new NamingMoment(changes.Position, changes.Beginning, changes.Floor, []);
            Sync(key);
            return At(key, at, services.TryGetValue(key, out var found) ? found.All : []);
        }
    }

    /// <summary>The changes of a service, or of all, from a revision on: whole revisions, in order.</summary>
    /// <param name="most">So many, and what belongs to the last revision.</param>
    /// <returns>They, and true when there are more; the keys of the moment are left out.</returns>
    public (NamingMoment Now, ImmutableArray<NamingChange> Changes, bool More) Changes(
        string? service, long from, int most)
    {
        lock (gate)
        {
            var changes = Begun();
            var found = ImmutableArray.CreateBuilder<NamingChange>();
            var more = false;
            ServiceKey? key = null;
            if (service is not null && ProtocolNames.OfEtcd(service).TryGet(out var named, out _)) key = named;
            var none = service is not null && key is null;
            foreach (var change in none ? [] : changes.From(from))
            {
                if (key is not null && change.Service != key) continue;
                more = found.Count >= most && change.Revision != found[^1].Revision;
                if (more) break;
                found.Add(change);
            }
            var now = new NamingMoment(changes.Position, changes.Beginning, changes.Floor, []);
            return (now, found.DrainToImmutable(), more);
        }
    }

    /// <summary>
    /// From here on changes of a service, or of all, wake the caller, who is not to do anything on the way. Null when
    /// as many watch as may.
    /// </summary>
    /// <param name="by">Whose call it is.</param>
    /// <param name="name">The caller's.</param>
    public IDisposable? Watch(string? service, Action wake, HttpContext by, string name)
    {
        lock (gate)
        {
            if (watching >= registry.Options.MaxWatchers) return null;
            watching++;
            ServiceKey? key = null;
            if (service is not null)
                key = ProtocolNames.OfEtcd(service).TryGet(out var named, out _)
                    ? named
                    : new ServiceKey("", "", service); // Which never changes.
            var watcher = new KeyWatcher(this, key, wake, new Watcher(EtcdExtension.Protocol, "watch", name, by, time));
            if (key is not { } one) wide.Add(watcher);
            else if (watchers.TryGetValue(one, out var others)) others.Add(watcher);
            else watchers.Add(one, [watcher]);
            return watcher;
        }
    }

    /// <summary>Who watches a service on this node, or all of them.</summary>
    internal ImmutableArray<Subscriber> Subscribers(ServiceKey service)
    {
        KeyWatcher[] all;
        lock (gate) all = [.. watchers.GetValueOrDefault(service) ?? [], .. wide];
        return [.. all.Select(watcher => watcher.By.Describe()).OrderBy(one => one.Since)];
    }

    /// <summary>
    /// Null when the caller may discover the service; else the fault, which is in the audit trail then.
    /// </summary>
    public Fault? CheckDiscover(HttpContext context, string service) =>
        ProtocolNames.OfEtcd(service).TryGet(out var key, out var fault)
            ? access.Check(context, Verb.Discover, RegistryAccess.Target(key))
            : fault;

    /// <summary>For what lasts, and for lists of several services, which show what the caller may see.</summary>
    public bool MayDiscover(Principal principal, string service) =>
        ProtocolNames.OfEtcd(service).TryGet(out var key, out _)
        && access.Allows(principal, Verb.Discover, RegistryAccess.Target(key));

    /// <inheritdoc cref="MayDiscover(Principal, string)"/>
    public bool MayDiscover(Principal principal, NamingChange change) =>
        access.Allows(principal, Verb.Discover, RegistryAccess.Target(change.Service));

    /// <inheritdoc cref="MayDiscover(Principal, string)"/>
    public bool MayDiscover(Principal principal, NamingKey key) =>
        access.Allows(principal, Verb.Discover, RegistryAccess.Target(key.Instance.Key.Service));

    /// <summary>
    /// Begins to look. What has changed since a revision that was given before the node started is not known in its
    /// order; but what is there is, and what was removed in the last minutes: whoever goes on from such a revision is
    /// told all of that.
    /// </summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (HasBegun) return;
        // Whoever leaves between the store's word and the beginning was there before.
        Instance[] were = [.. registry.Views.SelectMany(view => view.Instances)];
        try
        {
            await sync.FlushAsync().WaitAsync(StorePatience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new StorageException(new Fault(ErrorCodes.StorageUnavailable, "The store does not answer."));
        }
        var (removed, floor) = await store.RemovedAsync(cancellationToken);
        lock (gate) Begin([.. removed, .. were], floor);
    }

    /// <summary>
    /// True when instances go with leases, though nobody may have asked for keys: as after a start.
    /// </summary>
    public bool HasLeases()
    {
        if (!HasBegun)
            return registry.Instances.Any(state => EtcdExtension.Of(state.Instance) is { Lease: > 0 });
        lock (gate) return leased.Count > 0;
    }

    /// <summary>The leases that instances go with, those included that nobody calls now.</summary>
    public IReadOnlySet<long> Leases()
    {
        lock (gate) return leased.Values.Select(one => one.Lease).ToHashSet();
    }

    /// <summary>The instances of leases.</summary>
    internal LeasedInstance[] Of(IReadOnlySet<long> leases)
    {
        lock (gate) return [.. leased.Values.Where(one => leases.Contains(one.Lease))];
    }

    /// <summary>The key of that name now; null when there is none.</summary>
    internal NamingKey? Find(NamingPath path)
    {
        lock (gate)
        {
            Sync(path.Service);
            return services.TryGetValue(path.Service, out var shown) ? shown.Keys.GetValueOrDefault(path.Name) : null;
        }
    }

    /// <summary>Sees what has been done to services just now.</summary>
    /// <returns>The revision then.</returns>
    internal long See(IEnumerable<ServiceKey> changed)
    {
        lock (gate)
        {
            var changes = Begun();
            foreach (var service in changed) Sync(service);
            return changes.Position;
        }
    }

    /// <summary>
    /// A key was put, which is a change of it, though nothing about the instance is new when it is still the one that
    /// was there before.
    /// </summary>
    /// <returns>The revision of it.</returns>
    internal long SeePut(NamingPath path, NamingKey? before)
    {
        if (before is not null && ReferenceEquals(Find(path), before)
            && registry.FindService(path.Service) is { } service)
            registry.RaiseAbove(service, registry.Numbers.Last); // So that its number is the store's.
        lock (gate)
        {
            var changes = Begun();
            Sync(path.Service);
            if (before is null || !services.TryGetValue(path.Service, out var shown)
                || !ReferenceEquals(shown.Keys.GetValueOrDefault(path.Name), before)) return changes.Position;
            var revision = registry.Numbers.Next();
            var again = new NamingKey(
                Encoding.UTF8.GetString(before.Key), before.Instance, before.Created, revision, before.Version + 1);
            shown.Put(path.Name, again);
            Add(path.Service, [new NamingChange(revision, again, before)]);
            return revision;
        }
    }

    /// <summary>Begun before anything is asked.</summary>
    private NamingHistory Begun() => history ?? throw new InvalidOperationException("Nothing has been looked at yet.");

    private void Begin(Instance[] gone, long floor)
    {
        if (history is not null) return;
        var session = registry.Watches.OpenWide(null, EtcdExtension.Protocol, isOurs: true)
            ?? throw new InvalidOperationException("There is no bound for this one.");
        var revision = registry.Numbers.Next();
        var opening = new List<NamingChange>();
        foreach (var state in registry.Services) Sync(state.Key, revision, opening);
        // What is there now stands before what is not, by the same name.
        opening.AddRange(gone.Select(instance => Gone(instance, revision)));
        history = new NamingHistory(
            revision, floor + 1,
            [.. opening.DistinctBy(change => Encoding.UTF8.GetString(change.Key), StringComparer.Ordinal)]);
        begun.SetResult(session);
    }

    private static NamingChange Gone(Instance instance, long revision) => new(
        revision, null,
        new NamingKey(
            NamingPath.PrefixOf(instance.Key.Service)
                + (EtcdExtension.Of(instance)?.Name ?? NamingPath.AddressOf(instance)),
            instance, revision, revision, 1));

    private NamingMoment At(ServiceKey? service, long? at, ImmutableArray<NamingKey> now)
    {
        var changes = Begun();
        if (at is not { } then || then >= changes.Position)
            return new NamingMoment(changes.Position, changes.Beginning, changes.Floor, now);
        var keys = now.ToDictionary(key => Encoding.UTF8.GetString(key.Key), StringComparer.Ordinal);
        foreach (var change in changes.BackTo(then))
        {
            if (service is not null && change.Service != service) continue;
            var name = Encoding.UTF8.GetString(change.Key);
            if (change.Before is null) keys.Remove(name);
            else keys[name] = change.Before;
        }
        return new NamingMoment(changes.Position, changes.Beginning, changes.Floor, [.. keys.Values]);
    }

    /// <summary>Looks at one service. Under the gate.</summary>
    /// <param name="beginning">The revision of what is found; 0: the next.</param>
    /// <param name="opening">Takes what is found; null: it is told.</param>
    private void Sync(ServiceKey service, long beginning = 0, List<NamingChange>? opening = null)
    {
        var known = services.GetValueOrDefault(service);
        var view = registry.FindFresh(service);
        if (ReferenceEquals(known?.View, view)) return;
        known ??= Shown.Nothing;
        var next = new Dictionary<string, NamingKey>(StringComparer.Ordinal);
        var changes = new List<NamingChange>();
        var revision = beginning;
        if (view is not null)
        {
            var callable = new HashSet<Instance>(view.Callable, ReferenceEqualityComparer.Instance);
            var prefix = NamingPath.PrefixOf(service);
            foreach (var (name, instance) in NamingPath.NamesOf(view))
            {
                if (!callable.Contains(instance)) continue;
                var before = known.Keys.GetValueOrDefault(name);
                if (before?.Shows(instance) == true)
                {
                    next.Add(name, before);
                    continue;
                }
                if (revision == 0) revision = registry.Numbers.Next();
                var after = new NamingKey(
                    prefix + name, instance, before?.Created ?? revision, revision, (before?.Version ?? 0) + 1);
                next.Add(name, after);
                changes.Add(new NamingChange(revision, after, before));
            }
        }
        foreach (var (name, gone) in known.Keys)
        {
            if (next.ContainsKey(name)) continue;
            if (revision == 0) revision = registry.Numbers.Next();
            changes.Add(new NamingChange(revision, null, gone));
        }
        NoteLeases(known.View, view);
        if (view is null || view.Instances.IsEmpty) services.Remove(service);
        else services[service] = new Shown(view, next);
        if (opening is not null) opening.AddRange(changes);
        else if (changes.Count > 0) Add(service, changes);
    }

    private void NoteLeases(ServiceView? before, ServiceView? after)
    {
        foreach (var instance in before?.Instances ?? [])
            if (EtcdExtension.Of(instance) is { Lease: > 0 }) leased.Remove(instance.Key);
        foreach (var instance in after?.Instances ?? [])
            if (EtcdExtension.Of(instance) is { Lease: > 0 } kept)
                leased[instance.Key] = new LeasedInstance(instance.Key, kept.Lease, instance.Incarnation);
    }

    private void Add(ServiceKey service, List<NamingChange> changes)
    {
        Begun().Add(changes);
        foreach (var watcher in wide) watcher.Wake();
        if (!watchers.TryGetValue(service, out var some)) return;
        foreach (var watcher in some) watcher.Wake();
    }

    private void Leave(KeyWatcher watcher, ServiceKey? service)
    {
        lock (gate)
        {
            var left = service is { } key
                ? watchers.TryGetValue(key, out var some) && some.Remove(watcher)
                : wide.Remove(watcher);
            if (!left) return;
            watching--;
            if (service is { } one && watchers[one].Count == 0) watchers.Remove(one);
        }
    }

    /// <summary>The keys of a service as of one view.</summary>
    private sealed class Shown(ServiceView? view, Dictionary<string, NamingKey> keys)
    {
        private ImmutableArray<NamingKey> all;

        public static Shown Nothing { get; } = new(null, []);

        public ServiceView? View => view;

        public IReadOnlyDictionary<string, NamingKey> Keys => keys;

        public ImmutableArray<NamingKey> All => all.IsDefault ? all = [.. keys.Values] : all;

        public void Put(string name, NamingKey key)
        {
            keys[name] = key;
            all = default;
        }
    }

    private sealed class KeyWatcher(NamingKeys owner, ServiceKey? service, Action wake, Watcher by) : IDisposable
    {
        public Watcher By => by;

        public void Wake() => wake();

        public void Dispose() => owner.Leave(this, service);
    }
}

/// <summary>An instance that goes with a lease, as it was registered.</summary>
internal readonly record struct LeasedInstance(InstanceKey Key, long Lease, long Incarnation);

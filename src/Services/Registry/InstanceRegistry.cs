using System.Collections.Concurrent;
using System.Globalization;
using Groundwork.Services.Registry.Leases;
using Groundwork.Services.Registry.Policies;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Services.Registry.Protocols.Sights;
using Groundwork.Services.Registry.Storing;
using Groundwork.Services.Registry.Watching;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry;

/// <summary>
/// The registry in memory: which instances there are, how they stand with their leases, and what callers see of them.
/// Everything that happens to an instance happens under its service's gate; see <see cref="ServiceState"/> for the lock
/// order.
/// </summary>
internal sealed partial class InstanceRegistry : IRegistryView
{
    private readonly ConcurrentDictionary<InstanceKey, InstanceState> instances = new();
    private readonly ConcurrentDictionary<ServiceKey, ServiceState> services = new();
    private readonly EventRing events = new(EventRing.PerRegistry); // Guarded by itself.
    private readonly ConcurrentDictionary<string, bool> owners = new(StringComparer.Ordinal);
    private readonly Numbers unknown = new();
    private readonly TimeProvider time;
    private int instanceCount; // Interlocked: the dictionary's own count takes all its locks.

    public InstanceRegistry(
        RegistryOptions options, string nodeName, string storeId, TimeProvider time, ILogger logger, Numbers? numbers =
            null)
    {
        Options = options;
        NodeName = nodeName;
        StoreId = storeId;
        this.time = time;
        Numbers = numbers ?? new Numbers();
        unknown.Raise(Numbers.Last);
        Clock = new LeaseClock(time);
        Policies = new PolicyTable(options.ProtectionThreshold);
        Publisher = new ViewPublisher(Policies, time, logger);
        Watches = new WatchSessions(this, options.MaxWatchers);
        ByName = new ServiceNames(() => services.Select(service => service.Key));
        ById = new InstanceIds(() => instances.Select(instance => instance.Key));
    }

    public RegistryOptions Options { get; }

    public string NodeName { get; }

    public string StoreId { get; }

    public Numbers Numbers { get; }

    public LeaseClock Clock { get; }

    public TimerWheel Wheel { get; } = new();

    public PendingWrites Pending { get; } = new();

    /// <summary>What operators have said; views are made with it.</summary>
    public PolicyTable Policies { get; }

    public ViewPublisher Publisher { get; }

    public WatchSessions Watches { get; }

    /// <summary>Instances that callers have reported on and that need a verdict; drained by the expiry loop.</summary>
    public ConcurrentQueue<InstanceState> Complaints { get; } = new();

    /// <summary>The number that an unknown service stands at: nothing below it can be told apart any more.</summary>
    public long UnknownIndex => unknown.Last;

    public int InstanceCount => Volatile.Read(ref instanceCount);

    public TimeSpan Staleness => TimeSpan.Zero;

    public IEnumerable<ServiceState> Services => services.Values;

    public IEnumerable<ServiceView> Views => services.Values.Select(service => service.View).OfType<ServiceView>();

    public ServiceNames ByName { get; }

    public ProtocolSights Sights { get; } = new();

    /// <summary>Every instance, in no order, as of no single moment.</summary>
    public IEnumerable<InstanceState> Instances => instances.Values;

    /// <summary>Other nodes that own instances here.</summary>
    public IEnumerable<string> OwnersSeen => owners.Keys;

    public ServiceView? Find(ServiceKey key) => services.TryGetValue(key, out var service) ? service.View : null;

    public ServiceState? FindService(ServiceKey key) => services.GetValueOrDefault(key);

    public InstanceState? FindInstance(InstanceKey key) => instances.GetValueOrDefault(key);

    /// <summary>
    /// The service with everything that has happened; null when nothing by that name has ever registered.
    /// </summary>
    public ServiceView? FindFresh(ServiceKey key) =>
        services.TryGetValue(key, out var service) ? Publisher.Fresh(service) : null;

    /// <summary>Who left last of each cluster that is empty now, if it left within that time.</summary>
    public Instance[] Departed(ServiceKey key, TimeSpan within)
    {
        if (FindService(key) is not { } service) return [];
        lock (service.Gate) return service.DepartedSince(Clock.Now - within.Ticks);
    }

    /// <summary>
    /// Registers an instance or changes one that is registered. An incarnation of 0 means that the caller gave none.
    /// </summary>
    public Outcome<RegistrationAnswer> Register(Instance wanted, string principal)
    {
        while (true)
        {
            var service = FindOrAdd(wanted.Key.Service);
            if (service is null) return Full($"{Options.MaxServices} services");
            lock (service.Gate)
            {
                if (service.Forgotten) continue;
                return instances.TryGetValue(wanted.Key, out var known)
                    ? Update(known, wanted, principal)
                    : Add(service, wanted, principal);
            }
        }
    }

    /// <summary>
    /// Takes a renewal. Null when it counts, else why not. The usual case allocates nothing and moves nothing: the
    /// deadline is a field, and the wheel finds it later.
    /// </summary>
    public ErrorCode? Renew(InstanceKey key, long? incarnation)
    {
        if (!instances.TryGetValue(key, out var state)) return ErrorCodes.InstanceNotFound;
        lock (state.Service.Gate)
        {
            if (state.Removed) return ErrorCodes.InstanceNotFound;
            if (incarnation is { } given && given != state.Instance.Incarnation)
                return given < state.Instance.Incarnation ? ErrorCodes.IncarnationOlder : ErrorCodes.InstanceNotFound;
            if (state.Standing == Standing.Persistent) return null;
            state.DeadlineTicks = Clock.Now + LeaseTicks(state.Instance);
            if (state.Standing != Standing.Valid) Revive(state);
            return null;
        }
    }

    /// <summary>Removes an instance; removing what is not there is right as well.</summary>
    /// <param name="incarnation">Refused when a newer one is registered.</param>
    public Fault? Deregister(InstanceKey key, long? incarnation, string principal, string? why = null)
    {
        if (!instances.TryGetValue(key, out var state)) return null;
        lock (state.Service.Gate)
        {
            if (state.Removed) return null;
            if (incarnation < state.Instance.Incarnation) return Older(state.Instance);
            Remove(
                state, PendingKind.Deregistration, RegistryEventKind.Deregistered, Because("deregistered", why),
                principal);
            Publisher.Changed(state.Service);
            return null;
        }
    }

    /// <summary>
    /// Hears, every few seconds, that the gateway of this process calls a service. Set before it does.
    /// </summary>
    public Action<ServiceKey>? CalledByGateway { get; set; }

    /// <remarks>Only the gateway reports in process; others come over the API.</remarks>
    public void ReportOutcome(InstanceKey instance, CallOutcome outcome)
    {
        ReportOutcome(instance, outcome, 1);
        if (CalledByGateway is not { } hear || FindService(instance.Service) is not { } service) return;
        if (service.IsNewsThatCalled(time)) hear(service.Key);
    }

    public void ReportOutcome(InstanceKey instance, CallOutcome outcome, int count)
    {
        if (!instances.TryGetValue(instance, out var state)) return;
        if (outcome == CallOutcome.Answered)
        {
            state.ForgetFailures();
            return;
        }
        // Every multiple counts as a complaint, so that an ejected instance that keeps failing stays ejected.
        var failures = state.CountFailures(count);
        if (failures / Options.FailuresToEject != (failures - count) / Options.FailuresToEject)
            Complaints.Enqueue(state);
    }

    /// <summary>When the instance goes if no renewal comes; null when it has no lease here.</summary>
    public DateTimeOffset? ExpiresAt(Instance instance)
    {
        if (!instances.TryGetValue(instance.Key, out var state)) return null;
        if (state.Standing is Standing.Persistent or Standing.Foreign) return null;
        return time.GetUtcNow() + TimeSpan.FromTicks(Math.Max(0, state.DeadlineTicks - Clock.Now));
    }

    /// <summary>The last events of one service, or of all, newest first.</summary>
    public IReadOnlyList<RegistryEvent> Events(ServiceKey? key)
    {
        if (key is null)
        {
            lock (events) return [.. events.Newest()];
        }
        if (FindService(key.Value) is not { } service) return [];
        lock (service.Gate) return [.. service.Events.Newest()];
    }

    /// <summary>Finds the service, or makes a place for it; null when there are too many.</summary>
    /// <param name="despiteLimit">For what the store holds already.</param>
    public ServiceState? FindOrAdd(ServiceKey key, bool despiteLimit = false)
    {
        if (services.TryGetValue(key, out var known)) return known;
        lock (services)
        {
            // Counted under the lock, so that the limit holds; adding a service is rare.
            if (services.TryGetValue(key, out known)) return known;
            if (services.Count >= Options.MaxServices && !despiteLimit) return null;
            var added = new ServiceState(key) { EmptySinceTicks = Clock.Now };
            // In this order: a watch that opens now finds the service, or is found here.
            services[key] = added;
            ByName.Add(key);
            Watches.Added(added);
            return added;
        }
    }

    /// <summary>Drops a service that has had no instance and no watcher for long. Called under its gate.</summary>
    public void Forget(ServiceState service)
    {
        service.Forgotten = true;
        services.TryRemove(service.Key, out _);
        ByName.Remove(service.Key);
        // It may have been added again meanwhile, and whoever did found the name still there.
        if (services.ContainsKey(service.Key)) ByName.Add(service.Key);
        unknown.Raise(service.Index);
        Pending.Forget(service.Key);
    }

    public void OwnerAdopted(string node) => owners.TryRemove(node, out _);

    public static Fault NotFound(InstanceKey key) =>
        new(ErrorCodes.InstanceNotFound, $"The instance {key} is not registered; register it again.");

    private Outcome<RegistrationAnswer> Add(ServiceState service, Instance wanted, string principal)
    {
        if (service.Members.Count >= RegistryLimits.MaxInstancesPerService)
            return Full($"{RegistryLimits.MaxInstancesPerService} instances of one service");
        if (InstanceCount >= Options.MaxInstances) return Full($"{Options.MaxInstances} instances");
        var state = new InstanceState(service, Dated(wanted), NodeName);
        Admit(state);
        Hold(state);
        Change(state, Judged(state, state.Instance), RegistryEventKind.Registered, "registered", principal,
            PendingKind.Registration);
        Publisher.Changed(service);
        return Answer(state);
    }

    private Outcome<RegistrationAnswer> Update(InstanceState state, Instance wanted, string principal)
    {
        var known = state.Instance;
        wanted = Settled(known, wanted);
        if (wanted.Incarnation < known.Incarnation) return Older(known);

        var moved = state.Owner != NodeName;
        var revived = state.Standing is Standing.Suspect or Standing.Expired || state.Ejected;
        state.Ejected = false;
        state.ForgetFailures();
        Hold(state, wanted);
        var next = Judged(state, wanted with { Health = known.Health });
        if (!Sameness.Of(known, next))
            Change(state, next, RegistryEventKind.Updated, "registered again", principal, PendingKind.Registration);
        else if (revived || !ReferenceEquals(next.Health, known.Health))
            Change(state, next, RegistryEventKind.Renewed, "registered again", principal);
        else if (moved) NoteOwner(state);
        Publisher.Changed(state.Service);
        return Answer(state);
    }

    /// <summary>
    /// What a registration makes of the instance that it names: null when it says nothing new, else as it will stand.
    /// </summary>
    public Instance? Settled(Instance wanted)
    {
        if (FindInstance(wanted.Key)?.Instance is not { } known) return Dated(wanted);
        var settled = Settled(known, wanted);
        return Sameness.Of(known, settled) ? null : settled;
    }

    private Instance Settled(Instance known, Instance wanted)
    {
        if (wanted.Incarnation == 0)
            wanted = wanted with { Incarnation = IsSame(known, wanted)
                ? known.Incarnation
                // Received now, so it is newer, though a node whose clock was ahead may have dated the one before.
                : Math.Max(Dated(wanted).Incarnation, known.Incarnation + 1) };
        // Once told to drain, an incarnation stays so: its own heartbeat must not call traffic back.
        return wanted.Incarnation == known.Incarnation && IsKeptDraining(known, wanted)
            ? wanted with { Status = InstanceStatus.Draining }
            : wanted;
    }

    /// <summary>
    /// True when a registration without an incarnation says nothing new; that it was told to drain is nothing that it
    /// said.
    /// </summary>
    private static bool IsSame(Instance known, Instance wanted) => Sameness.Of(known, wanted with
    {
        Incarnation = known.Incarnation,
        Status = IsKeptDraining(known, wanted) ? known.Status : wanted.Status,
    });

    private static bool IsKeptDraining(Instance known, Instance wanted) =>
        known.Status == InstanceStatus.Draining && wanted.Status is InstanceStatus.Up or InstanceStatus.Starting;

    /// <summary>This node takes the renewals of the instance from now on. Under the gate.</summary>
    private void Hold(InstanceState state, Instance? wanted = null)
    {
        var instance = wanted ?? state.Instance;
        if (state.Owner != NodeName || state.OwnerSinceTicks == 0) state.OwnerSinceTicks = Clock.Now;
        state.Owner = NodeName;
        if (!instance.Ephemeral)
        {
            state.Standing = Standing.Persistent;
            Wheel.Remove(state);
            return;
        }
        state.Standing = Standing.Valid;
        state.DeadlineTicks = Clock.Now + LeaseTicks(instance);
        Wheel.Schedule(state, state.DeadlineTicks);
    }

    /// <summary>A renewal came for an instance that was not in good standing here. Under the gate.</summary>
    private void Revive(InstanceState state)
    {
        var foreign = state.Standing == Standing.Foreign;
        // A client that alternates between nodes would otherwise make both write at the pace of its renewals. Half a
        // lease still leaves the other half to a client that has moved here for good.
        if (foreign && Clock.Now - state.OwnerSinceTicks < LeaseTicks(state.Instance) / 2) return;
        Hold(state);
        if (foreign) state.OwnerSinceTicks = Clock.Now;
        var next = Judged(state, state.Instance);
        if (!ReferenceEquals(next.Health, state.Instance.Health))
            Change(state, next, RegistryEventKind.Renewed, "renewed its lease", principal: null);
        else NoteOwner(state);
        Publisher.Changed(state.Service);
    }

    private void SeeOwner(string node)
    {
        if (node != NodeName) owners.TryAdd(node, true);
    }

    private Instance Dated(Instance wanted) => wanted.Incarnation != 0
        ? wanted
        : wanted with { Incarnation = time.GetUtcNow().ToUnixTimeMilliseconds() };

    private static RegistrationAnswer Answer(InstanceState state) => new(
        state.Key.Id, state.Service.Index, state.Instance.LeaseSeconds, state.Instance.Incarnation);

    private static long LeaseTicks(Instance instance) => instance.LeaseSeconds * TimeSpan.TicksPerSecond;

    private static Fault Full(string what) =>
        new(ErrorCodes.RegistryFull, $"The registry holds {what}, which is its limit.");

    public static Fault Older(Instance registered) => new(
        ErrorCodes.IncarnationOlder,
        $"Incarnation {registered.Incarnation} of {registered.Key} is registered, and the call is of an older one.")
    {
        Extensions = System.Collections.Immutable.ImmutableDictionary<string, string>.Empty
            .Add("incarnation", registered.Incarnation.ToString(CultureInfo.InvariantCulture)),
    };
}

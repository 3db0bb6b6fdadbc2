using Groundwork.Services.Registry.Storing;

namespace Groundwork.Services.Registry;

/// <content>
/// The steps that every change is made of. All run under the gate of the service, and the caller publishes after the
/// last.
/// </content>
internal sealed partial class InstanceRegistry
{
    public const string HeldByProtection = "the lease ran out; the protection threshold keeps it listed";
    public const string WaitsForEviction = "the lease ran out; it waits for its turn to be evicted";

    /// <summary>Replaces what callers see of an instance, with a number, an event and a write behind.</summary>
    private void Change(
        InstanceState state,
        Instance next,
        RegistryEventKind kind,
        string reason,
        string? principal,
        PendingKind write = PendingKind.Change)
    {
        state.Instance = next;
        var number = Numbers.Next();
        state.Service.Touch(number);
        Pending.Note(new PendingInstance(state, number, write, reason, principal));
        Pending.Note(state.Service.Key, number, state.Service.EmptyReason);
        Record(state.Service, kind, state.Key.Id, reason, principal);
    }

    /// <summary>A changed owner is written, but nobody's list changes.</summary>
    private void NoteOwner(InstanceState state) =>
        Pending.Note(new PendingInstance(state, Numbers.Next(), PendingKind.Change, Reason: null, Principal: null));

    private void Admit(InstanceState state)
    {
        state.Service.Add(state);
        instances[state.Key] = state;
        ById.Add(state.Key);
        Interlocked.Increment(ref instanceCount);
    }

    private void Dismiss(InstanceState state)
    {
        state.Service.Remove(state);
        instances.TryRemove(KeyValuePair.Create(state.Key, state));
        ById.Remove(state.Key);
        Interlocked.Decrement(ref instanceCount);
        Wheel.Remove(state);
        state.Service.NoteDeparted(state.Instance, Clock.Now);
        if (state.Service.Members.Count == 0) state.Service.EmptySinceTicks = Clock.Now;
    }

    /// <param name="more">What the history says beside the reason.</param>
    private void Remove(
        InstanceState state,
        PendingKind write,
        RegistryEventKind kind,
        string reason,
        string? principal,
        string? more = null)
    {
        Dismiss(state);
        if (state.Service.Members.Count == 0)
            state.Service.EmptyReason = $"the last instance, {state.Key.Id}: {reason}";
        var number = Numbers.Next();
        state.Service.Touch(number);
        Pending.Note(new PendingInstance(state, number, write, reason, principal));
        Pending.Note(state.Service.Key, number, state.Service.EmptyReason);
        Record(state.Service, kind, state.Key.Id, reason + more, principal);
    }

    /// <summary>Its lease ran out and nothing keeps it. Under the gate; the caller publishes.</summary>
    public void Evict(InstanceState state, string reason)
    {
        var age = TimeSpan.FromTicks(Clock.Now - state.DeadlineTicks + LeaseTicks(state.Instance));
        var more = state.Instance.Health.State == HealthState.Suspect
            ? "; it had not renewed since this node took it over"
            : $"; it renewed last at {time.GetUtcNow() - age:yyyy-MM-dd HH:mm:ss}Z";
        Remove(state, PendingKind.Expiry, RegistryEventKind.Expired, reason, principal: null, more);
    }

    /// <summary>Its lease ran out and it stays listed, for that reason. Under the gate; the caller publishes.</summary>
    public void KeepExpired(InstanceState state, string reason)
    {
        var health = state.Instance.Health;
        if (health.Cause == HealthCause.LeaseExpired && health.Reason == reason) return;
        var next = new Health(HealthState.Unhealthy, HealthCause.LeaseExpired, reason, time.GetUtcNow());
        Change(state, state.Instance with { Health = next }, RegistryEventKind.Held, reason, principal: null);
    }

    /// <summary>Vouches for an instance whose node is gone. Under the gate; the caller publishes.</summary>
    public void Adopt(InstanceState state)
    {
        // When this node has itself just started, its clients need as long to find it as after any restart.
        var grace = Clock.Now < Options.RestartGrace.Ticks ? Options.RestartGrace : TimeSpan.Zero;
        state.Owner = NodeName;
        state.OwnerSinceTicks = Clock.Now;
        state.Ejected = false;
        Suspect(state, HealthCause.Adoption, grace);
        Change(
            state, state.Instance, RegistryEventKind.Suspect, state.Instance.Health.Reason, principal: null);
    }

    /// <summary>Callers cannot reach it. Under the gate; the caller publishes.</summary>
    public void Eject(InstanceState state, string reason)
    {
        state.EjectedTicks = Clock.Now;
        if (state.Ejected) return;
        state.Ejected = true;
        Rejudge(state, RegistryEventKind.Unhealthy, reason);
    }

    /// <summary>Lets callers try it again. Under the gate; the caller publishes.</summary>
    public void Readmit(InstanceState state)
    {
        state.Ejected = false;
        state.ForgetFailures();
        Rejudge(state, RegistryEventKind.Healthy, "the ejection is over: callers may try it again");
    }

    /// <summary>Numbers that the store gave instead of ours, because another node was quicker.</summary>
    public void Renumber(ServiceKey key, long number)
    {
        Numbers.Raise(number);
        if (FindService(key) is not { } service) return;
        lock (service.Gate)
        {
            if (number <= service.Index) return;
            service.Touch(number);
            Publisher.Changed(service);
        }
    }

    /// <summary>
    /// Raises a service above an index that somebody has seen on another node, which is gone with what it had not
    /// written.
    /// </summary>
    public void RaiseAbove(ServiceState service, long seen)
    {
        Numbers.Raise(seen);
        lock (service.Gate)
        {
            if (service.Forgotten || service.Index > seen) return;
            var number = Numbers.Next();
            service.Touch(number);
            Pending.Note(service.Key, number, service.EmptyReason);
            Publisher.Changed(service);
        }
    }

    /// <summary>The process stood still; said where people look for reasons.</summary>
    public void RecordStall(TimeSpan stall)
    {
        var happened = new RegistryEvent(
            time.GetUtcNow().Ticks,
            Numbers.Last,
            RegistryEventKind.Stalled,
            default,
            Id: null,
            FormattableString.Invariant(
                $"the process stood still for {stall.TotalSeconds:0.0} s; every lease has it added"),
            Principal: null);
        lock (events) events.Add(happened);
    }

    /// <param name="ours">False: another node has it in the history that all share.</param>
    private void Record(
        ServiceState service, RegistryEventKind kind, string? id, string reason, string? principal, bool ours = true)
    {
        var happened = new RegistryEvent(
            time.GetUtcNow().Ticks, service.Index, kind, service.Key, id, reason, principal);
        service.Events.Add(happened);
        lock (events) events.Add(happened);
        if (ours) Pending.Note(happened);
    }

    private void Rejudge(InstanceState state, RegistryEventKind kind, string reason)
    {
        var next = Judged(state, state.Instance, reason);
        if (!ReferenceEquals(next.Health, state.Instance.Health)) Change(state, next, kind, reason, principal: null);
    }

    private void Suspect(InstanceState state, HealthCause cause, TimeSpan grace)
    {
        state.Standing = Standing.Suspect;
        state.DeadlineTicks = Clock.Now + Math.Max(LeaseTicks(state.Instance), grace.Ticks);
        Wheel.Schedule(state, state.DeadlineTicks);
        var reason = cause == HealthCause.Restart
            ? "known from before this node started; it has not renewed since"
            : "the node that took its renewals is gone; it has not renewed here yet";
        state.Instance = state.Instance with
        {
            Health = new Health(HealthState.Suspect, cause, reason, time.GetUtcNow()),
        };
    }

    /// <summary>
    /// The instance with the health that follows from its standing, callers and checks; the same object if it is the
    /// same.
    /// </summary>
    private Instance Judged(InstanceState state, Instance instance, string? ejection = null)
    {
        var known = instance.Health;
        var (health, cause, reason) = state switch
        {
            { Ejected: true } => (
                HealthState.Unhealthy, HealthCause.Callers, known.Cause == HealthCause.Callers
                    ? known.Reason
                    : ejection ?? "callers cannot reach it"),
            { Standing: Standing.Expired } => (known.State, known.Cause, known.Reason),
            { Standing: Standing.Foreign } when known.Cause != HealthCause.Callers =>
                (known.State, known.Cause, known.Reason),
            _ when Critical(instance) is { } check => (
                HealthState.Unhealthy, HealthCause.Check,
                    $"check {check.Name} is critical: {check.Reason ?? "no reason given"}"),
            { Standing: Standing.Suspect } => (HealthState.Suspect, known.Cause, known.Reason),
            { Standing: Standing.Persistent } =>
                (HealthState.Healthy, HealthCause.Instance, "registered, without a lease"),
            _ => (HealthState.Healthy, HealthCause.Instance, "renews its lease"),
        };
        if (known.State == health && known.Cause == cause && known.Reason == reason) return instance;
        return instance with { Health = new Health(health, cause, reason, time.GetUtcNow()) };
    }

    private static Check? Critical(Instance instance)
    {
        foreach (var check in instance.Checks)
            if (check.State == CheckState.Critical) return check;
        return null;
    }
}

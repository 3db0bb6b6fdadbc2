using Groundwork.Services.Registry.Storing;

namespace Groundwork.Services.Registry;

/// <content>What comes from the store: everything at the start, and then what other nodes wrote.</content>
internal sealed partial class InstanceRegistry
{
    /// <summary>
    /// Loads what was known before this node started. Its own instances come back as suspect, listed and callable, with
    /// time to renew; those of other nodes stay theirs.
    /// </summary>
    /// <param name="shared">True when other nodes use the store, who must hear of the suspicion.</param>
    public void Restore(StoredChanges stored, bool shared)
    {
        Numbers.Raise(stored.Position);
        unknown.Raise(stored.Position);
        foreach (var row in stored.Services) LoadService(row);
        foreach (var row in stored.Instances)
            if (row.Instance is { } instance) LoadInstance(row, instance, shared);
        foreach (var found in stored.Probes)
        {
            if (FindInstance(found.Key) is not { } probed) continue;
            lock (probed.Service.Gate) probed.Service.SetProbe(found.Key.Id, found.Check);
        }
        foreach (var service in services.Values)
        {
            lock (service.Gate)
            {
                // Somebody may have seen more than was written before the stop: what follows is above all of it.
                var number = Numbers.Next();
                service.Touch(number);
                Pending.Note(service.Key, number, service.EmptyReason);
                service.Publish(Policies.Of(service.Key));
            }
        }
    }

    /// <summary>Applies what other nodes wrote, in order.</summary>
    public void Apply(StoredChanges changes)
    {
        Numbers.Raise(changes.Position);
        var numbers = changes.Services.ToDictionary(row => row.Key);
        if (changes.Complete) DropUnwritten(changes);
        foreach (var row in changes.Instances)
            if (row.Writer == NodeName && instances.TryGetValue(row.Key, out var own))
                own.StoredPosition = Math.Max(own.StoredPosition, row.Position);
        foreach (var rows in changes.Instances.Where(row => row.Writer != NodeName).GroupBy(row => row.Key.Service))
        {
            numbers.Remove(rows.Key, out var number);
            ApplyTo(rows.Key, rows, number);
        }
        foreach (var number in numbers.Values) ApplyTo(number.Key, [], number);
        foreach (var found in changes.Probes) TakeProbe(found, ours: false);
    }

    private void LoadService(StoredService row)
    {
        var service = FindOrAdd(row.Key, despiteLimit: true)!; // Never null despite the limit.
        lock (service.Gate)
        {
            service.Touch(row.Number);
            service.EmptyReason = row.EmptyReason;
        }
    }

    private void LoadInstance(StoredInstance row, Instance instance, bool shared)
    {
        var service = FindOrAdd(row.Key.Service, despiteLimit: true)!; // Never null despite the limit.
        lock (service.Gate)
        {
            var state = new InstanceState(service, instance, row.Owner) { StoredPosition = row.Position };
            Admit(state);
            if (!instance.Ephemeral)
            {
                state.Standing = Standing.Persistent;
            }
            else if (shared && row.Owner != NodeName)
            {
                state.Standing = Standing.Foreign;
                SeeOwner(row.Owner);
            }
            else
            {
                state.Owner = NodeName;
                Suspect(state, HealthCause.Restart, Options.RestartGrace);
                Record(service, RegistryEventKind.Suspect, row.Key.Id, state.Instance.Health.Reason, principal: null);
                if (shared) NoteOwner(state);
            }
        }
    }

    private void ApplyTo(ServiceKey key, IEnumerable<StoredInstance> rows, StoredService? number)
    {
        var service = FindOrAdd(key, despiteLimit: true)!; // Never null despite the limit.
        lock (service.Gate)
        {
            // A place that is being dropped this moment: the rows come again with the next reload.
            if (service.Forgotten) return;
            var changed = false;
            foreach (var row in rows)
                changed |= row.Instance is null ? ApplyRemoval(service, row) : ApplyRow(service, row, row.Instance);
            if (service.Members.Count == 0) service.EmptyReason = number?.EmptyReason ?? service.EmptyReason;
            if (number is not null && number.Number > service.Index)
            {
                service.Touch(number.Number);
            }
            else if (changed)
            {
                // We have shown a higher number than the store gave to this: show it under one that is higher still.
                var next = Numbers.Next();
                service.Touch(next);
                Pending.Note(key, next, service.EmptyReason);
            }
            Publisher.Changed(service);
        }
    }

    private bool ApplyRemoval(ServiceState service, StoredInstance row)
    {
        if (!instances.TryGetValue(row.Key, out var state)) return false;
        state.StoredPosition = row.Position;
        if (row.Incarnation < state.Instance.Incarnation) return false;
        if (Pending.Find(row.Key) is { Kind: PendingKind.Registration }) return false;
        Pending.Drop(row.Key);
        Dismiss(state);
        var kind = row.Principal is null ? RegistryEventKind.Expired : RegistryEventKind.Deregistered;
        if (service.Members.Count == 0) service.EmptyReason = $"the last instance, {row.Key.Id}: {row.Reason}";
        Record(service, kind, row.Key.Id, $"{row.Reason}, on node {row.Writer}", row.Principal, ours: false);
        return true;
    }

    private bool ApplyRow(ServiceState service, StoredInstance row, Instance written)
    {
        var pending = Pending.Find(row.Key);
        if (!instances.TryGetValue(row.Key, out var state)) return Welcome(service, row, written, pending);
        state.StoredPosition = row.Position;
        if (row.Incarnation < state.Instance.Incarnation) return false;
        if (pending is not null && row.Incarnation == state.Instance.Incarnation) return Merge(state, written);
        Pending.Drop(row.Key);
        TakeOver(state, row.Owner, written);
        var before = state.Instance;
        state.Instance = written;
        if (Sameness.Of(before, written) && before.Health == written.Health) return false;
        Record(
            service, KindOf(before, written), row.Key.Id, $"{row.Reason ?? "changed"}, on node {row.Writer}",
            row.Principal, ours: false);
        return true;
    }

    /// <summary>An instance that is not listed here: new, or removed here a moment ago.</summary>
    private bool Welcome(ServiceState service, StoredInstance row, Instance written, PendingInstance? pending)
    {
        if (pending is { Removes: true } removal)
        {
            var stands = removal.Kind == PendingKind.Deregistration
                ? row.Incarnation <= removal.State.Instance.Incarnation
                : row.Owner == NodeName; // An expiry is void once another node has taken the instance over.
            if (stands) return false;
            Pending.Drop(row.Key);
        }
        var state = new InstanceState(service, written, row.Owner) { StoredPosition = row.Position };
        Admit(state);
        TakeOver(state, row.Owner, written);
        Record(service, RegistryEventKind.Registered, row.Key.Id, $"{row.Reason ?? "registered"}, on node {row.Writer}",
            row.Principal, ours: false);
        return true;
    }

    /// <summary>Both nodes changed it: ours is written after theirs, but a drain is not taken back by it.</summary>
    private static bool Merge(InstanceState state, Instance written)
    {
        if (written.Status != InstanceStatus.Draining || state.Instance.Status == InstanceStatus.Draining) return false;
        state.Instance = state.Instance with { Status = InstanceStatus.Draining };
        return true;
    }

    private void TakeOver(InstanceState state, string owner, Instance written)
    {
        if (state.Owner != owner || state.OwnerSinceTicks == 0) state.OwnerSinceTicks = Clock.Now;
        state.Owner = owner;
        state.Ejected = written.Health.Cause == HealthCause.Callers;
        if (state.Ejected)
        {
            state.EjectedTicks = Clock.Now;
            Complaints.Enqueue(state);
        }
        if (!written.Ephemeral)
        {
            state.Standing = Standing.Persistent;
            Wheel.Remove(state);
        }
        else if (owner != NodeName)
        {
            state.Standing = Standing.Foreign;
            Wheel.Remove(state);
            SeeOwner(owner);
        }
        else if (state.Standing is Standing.Foreign or Standing.Persistent)
        {
            Hold(state, written);
        }
    }

    /// <summary>
    /// After a gap in the known removals: what the store does not have and we did not just register is gone.
    /// </summary>
    private void DropUnwritten(StoredChanges all)
    {
        var written = all.Instances.Where(row => row.Instance is not null).Select(row => row.Key).ToHashSet();
        foreach (var state in instances.Values)
        {
            if (written.Contains(state.Key)) continue;
            lock (state.Service.Gate)
            {
                if (state.Removed || state.StoredPosition == 0 || Pending.Find(state.Key) is not null) continue;
                Dismiss(state);
                var number = Numbers.Next();
                state.Service.Touch(number);
                Pending.Note(state.Service.Key, number, state.Service.EmptyReason);
                Record(state.Service, RegistryEventKind.Deregistered, state.Key.Id, "removed on another node",
                    principal: null, ours: false);
                Publisher.Changed(state.Service);
            }
        }
    }

    private static RegistryEventKind KindOf(Instance before, Instance after)
    {
        if (after.Status == InstanceStatus.Draining && before.Status != InstanceStatus.Draining)
            return RegistryEventKind.Draining;
        if (after.Health.State == before.Health.State) return RegistryEventKind.Updated;
        return after.Health.State switch
        {
            HealthState.Healthy => RegistryEventKind.Healthy,
            HealthState.Suspect => RegistryEventKind.Suspect,
            _ => RegistryEventKind.Unhealthy,
        };
    }
}

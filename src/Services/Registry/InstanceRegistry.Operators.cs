using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry.Policies;
using Groundwork.Services.Registry.Probing;
using Groundwork.Wire;

namespace Groundwork.Services.Registry;

/// <content>What operators do to instances and services, by calls and by resources.</content>
internal sealed partial class InstanceRegistry
{
    /// <summary>Tells callers to leave the instance.</summary>
    /// <param name="why">The author's own words, for the history.</param>
    /// <returns>The service's index after it, or <c>instance_not_found</c>.</returns>
    public Outcome<long> Drain(InstanceKey key, string principal, string? why = null)
    {
        if (!instances.TryGetValue(key, out var state)) return NotFound(key);
        lock (state.Service.Gate)
        {
            if (state.Removed) return NotFound(key);
            if (state.Instance.Status != InstanceStatus.Draining)
            {
                var draining = state.Instance with { Status = InstanceStatus.Draining };
                Change(state, draining, RegistryEventKind.Draining, Because("told to drain", why), principal);
            }
            // At once also for a large service: the caller waits for others to have seen it.
            state.Service.Publish(Policies.Of(key.Service));
            return state.Service.Index;
        }
    }

    /// <summary>
    /// Takes a drain back: the instance is up again for its callers. One that leaves by itself leaves all the same.
    /// </summary>
    /// <returns>The service's index after it, or <c>instance_not_found</c>.</returns>
    public Outcome<long> Undrain(InstanceKey key, string principal, string? why)
    {
        if (!instances.TryGetValue(key, out var state)) return NotFound(key);
        lock (state.Service.Gate)
        {
            if (state.Removed) return NotFound(key);
            if (state.Instance.Status == InstanceStatus.Draining)
            {
                var up = state.Instance with { Status = InstanceStatus.Up };
                Change(state, up, RegistryEventKind.Undrained, Because("the drain was taken back", why), principal);
            }
            state.Service.Publish(Policies.Of(key.Service));
            return state.Service.Index;
        }
    }

    /// <summary>
    /// Takes what operators have changed by resources, and shows it under new numbers. Every node does so by itself.
    /// </summary>
    /// <param name="record">True on the one node whose history says it for all.</param>
    public void TakePolicies(SnapshotChange change, bool record)
    {
        foreach (var changed in Policies.Take(change))
        {
            if (FindService(changed.Service) is not { } service) continue;
            lock (service.Gate)
            {
                if (service.Forgotten || service.View is null && service.Members.Count == 0) continue;
                Renumber(service);
                if (changed.What is { } what)
                {
                    var kind = changed.Id is null ? RegistryEventKind.Policy : RegistryEventKind.Overridden;
                    Record(service, kind, changed.Id, what, changed.Resource?.ChangedBy, record);
                }
                Publisher.Changed(service);
            }
        }
    }

    /// <summary>Takes what the prober has found, here or on another node, once it is in the store.</summary>
    /// <param name="ours">True on the node that probes.</param>
    public void TakeProbe(ProbeResult result, bool ours)
    {
        if (FindInstance(result.Key) is not { } state) return;
        lock (state.Service.Gate)
        {
            if (state.Removed || state.Instance.Ephemeral) return;
            if (state.Service.ProbeOf(result.Key.Id) == result.Check) return;
            state.Service.SetProbe(result.Key.Id, result.Check);
            Renumber(state.Service);
            var what = result.Check.State == CheckState.Critical
                ? $"the probe is critical: {result.Check.Reason}"
                : "the probe passes";
            Record(state.Service, RegistryEventKind.Probed, result.Key.Id, what, principal: null, ours);
            Publisher.Changed(state.Service);
        }
    }

    /// <summary>
    /// Shows something that is not in the instances' own rows under a number of its own. Under the gate; the caller
    /// publishes. When every node does so for one fact, the highest number is the one that all end with.
    /// </summary>
    private void Renumber(ServiceState service)
    {
        var number = Numbers.Next();
        service.Touch(number);
        Pending.Note(service.Key, number, service.EmptyReason);
    }

    private static string Because(string what, string? why) => why is null ? what : $"{what}: {why}";
}

using System.Collections.Immutable;
using Groundwork.Services.Registry.Watching;

namespace Groundwork.Services.Registry.Protocols.Sights;

/// <summary>What the sights of several protocols are made of.</summary>
internal static class SightParts
{
    /// <summary>True for an instance that traffic goes to. The callable ones are in order of id, as all are.</summary>
    public static bool IsCallable(ServiceView? view, Instance instance)
    {
        if (view is null) return false;
        int low = 0, high = view.Callable.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = string.CompareOrdinal(view.Callable[middle].Key.Id, instance.Key.Id);
            if (order == 0) return true;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }
        return false;
    }

    /// <summary>Those of a protocol that wait for a change of the service on this node.</summary>
    public static ImmutableArray<Subscriber> Waiting(InstanceRegistry registry, ServiceKey service, string protocol)
    {
        if (registry.FindService(service) is not { } state) return [];
        return
        [
            .. WatchSessions.Of(state).Where(session => session.By?.Protocol == protocol)
                .Select(session => session.By!.Describe()) // Not null, as filtered.
                .OrderBy(one => one.Since),
        ];
    }
}

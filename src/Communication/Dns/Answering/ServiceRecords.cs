using System.Collections.Concurrent;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>The instances of a service that may be called, as of one view of it.</summary>
internal sealed class ServiceRecords
{
    private readonly Callee[] callees;
    private readonly Subset whole;
    private readonly ConcurrentDictionary<string, Subset> byTag = new(StringComparer.OrdinalIgnoreCase);

    // By rules that there are, or were while this view was in force.
    private readonly ConcurrentDictionary<(object Rule, string? Zone), Subset> chosen = new();

    public ServiceRecords(ServiceView view)
    {
        View = view;
        callees = [.. view.Callable.Select(instance => new Callee(instance))];
        whole = new Subset(callees);
    }

    public ServiceView View { get; }

    /// <summary>Those with a tag, or all; null when no instance at all, callable or not, has the tag.</summary>
    public Subset? With(string? tag)
    {
        if (tag is null) return whole;
        if (byTag.TryGetValue(tag, out var known)) return known;
        // Only tags that there are: what is asked for decides nothing about how much is kept.
        if (!View.Instances.Any(instance => Has(instance, tag))) return null;
        return byTag[tag] = new Subset([.. callees.Where(callee => Has(callee.Instance, tag))]);
    }

    /// <summary>Those that fit; null when none does. What fits is the same for the same reason.</summary>
    public Subset? Choose((object Rule, string? Zone) reason, Func<Instance, bool> fits)
    {
        if (!chosen.TryGetValue(reason, out var subset))
            chosen[reason] = subset = new Subset([.. callees.Where(callee => fits(callee.Instance))]);
        return subset.All.Count == 0 ? null : subset;
    }

    private static bool Has(Instance instance, string tag) =>
        instance.Tags.Contains(tag, StringComparer.OrdinalIgnoreCase);

    /// <summary>Some of them, by what is asked for.</summary>
    internal sealed class Subset(Callee[] all)
    {
        public CalleeSet All { get; } = new(all);

        public CalleeSet IPv4 { get; } = new([.. all.Where(callee => callee.IsIPv4)]);

        public CalleeSet IPv6 { get; } = new([.. all.Where(callee => callee.IsIPv6)]);

        public CalleeSet Named { get; } = new([.. all.Where(callee => callee.HostName is not null)]);
    }
}

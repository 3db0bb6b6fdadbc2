using System.Collections.Concurrent;
using System.Collections.Immutable;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Discovery;

/// <summary>A service at one index, ready to be called: immutable, swapped as a whole.</summary>
internal sealed class CallableList
{
    /// <summary>Versions of one service that are looked for; others are looked up anew each time.</summary>
    private const int MaxVersions = 32;

    private readonly InstanceDraw draw;
    private readonly string? zone;
    private readonly ConcurrentDictionary<string, CallableList> versions = new(StringComparer.Ordinal);

    private CallableList(ServiceDocument document, ImmutableArray<ServiceTarget> callable, string? zone, Turn turn)
    {
        Document = document;
        this.zone = zone;
        draw = new InstanceDraw(callable, turn);
        if (zone is null) return;
        var near = callable.Where(target => target.Zone == zone).ToImmutableArray();
        if (!near.IsEmpty && near.Length < callable.Length) Near = new InstanceDraw(near, turn);
    }

    /// <summary>As the platform said it.</summary>
    public ServiceDocument Document { get; }

    /// <summary>Where traffic may go.</summary>
    public ImmutableArray<ServiceTarget> Callable => draw.Targets;

    /// <summary>The instances of the own zone, when there are some, and others too.</summary>
    private InstanceDraw? Near { get; }

    /// <summary>Builds the list, keeping what was learnt of the instances that were there before.</summary>
    public static CallableList From(ServiceDocument document, CallableList? before, string? zone, TimeProvider time)
    {
        var known = before?.Callable.ToDictionary(target => target.Id, StringComparer.Ordinal) ?? [];
        var targets = document.Instances
            .Where(instance => IsCallable(instance, document.Protection))
            .Select(instance =>
            {
                var id = instance.Id ?? $"{instance.Host}:{instance.Port}";
                return known.TryGetValue(id, out var target) && target.Is(instance)
                    ? target
                    : new ServiceTarget(instance, id, time);
            })
            .DistinctBy(target => target.Id)
            .ToImmutableArray();
        return new CallableList(document, targets, zone, before?.draw.Turn ?? new Turn());
    }

    /// <summary>
    /// Whether traffic may go to the instance: up, weight above 0, and not known to be unhealthy unless protected.
    /// </summary>
    public static bool IsCallable(InstanceDocument instance, bool isProtected) =>
        (instance.Status ?? "up") == "up"
        && (instance.Weight ?? 100) > 0
        && (isProtected || instance.Health?.State != "unhealthy");

    /// <summary>
    /// A place at the instance that <see cref="Choose"/> names; null when there is none to call.
    /// </summary>
    public CallPlace? Take(in InstanceWish wish)
    {
        ChoiceReason reason;
        // Of several calls that find an instance on trial one gets it; the others look again.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (Choose(wish, out reason) is not { } target) return null;
            if (target.TryBegin(reason) is { } place) return place;
        }
        return Choose(wish, out reason)?.Begin(reason);
    }

    /// <summary>
    /// The wanted version's first, in them the own zone's, each as the policy says; then those that are doubted, and
    /// left-out ones last. Those just tried not at all.
    /// </summary>
    public ServiceTarget? Choose(in InstanceWish wish, out ChoiceReason reason)
    {
        if (wish.Version is { } version)
        {
            var wanted = OfVersion(version);
            if (wish.Policy.RequireVersion) return wanted.ChooseAny(wish, out reason);
            if (wanted.ChooseAvailable(wish, out reason) is { } target) return target;
        }
        return ChooseAny(wish, out reason);
    }

    private ServiceTarget? ChooseAny(in InstanceWish wish, out ChoiceReason reason) =>
        ChooseAvailable(wish, out reason)
        ?? draw.Doubted(wish, leftOut: false, out reason) ?? draw.Doubted(wish, leftOut: true, out reason);

    private ServiceTarget? ChooseAvailable(in InstanceWish wish, out ChoiceReason reason)
    {
        if (Near is { } near && wish.Policy.SameZone && !near.IsShort(wish.Policy.SpillBelow)
            && near.Available(wish, out reason) is { } target) return target;
        return draw.Available(wish, out reason);
    }

    private CallableList OfVersion(string version)
    {
        if (versions.TryGetValue(version, out var known)) return known;
        var found = new CallableList(
            Document, [.. Callable.Where(target => IsOfVersion(target.Version, version))], zone, draw.Turn);
        if (versions.Count < MaxVersions) versions.TryAdd(version, found);
        return found;
    }

    // 2 is any of 2, 2.0 and 2.1.7, but not 20.
    private static bool IsOfVersion(string? version, string wanted) =>
        version is not null
        && version.StartsWith(wanted, StringComparison.OrdinalIgnoreCase)
        && (version.Length == wanted.Length || version[wanted.Length] is '.' or '-' or '+');
}

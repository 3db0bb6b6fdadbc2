using System.Collections.Immutable;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Discovery;

/// <summary>A service at one index, ready to be called: immutable, swapped as a whole.</summary>
internal sealed class CallableList
{
    private readonly ImmutableArray<ServiceTarget> callable;

    // Weights added up, so that a weighted choice is one binary search.
    private readonly ImmutableArray<long> upTo;

    private CallableList(ServiceDocument document, ImmutableArray<ServiceTarget> callable)
    {
        Document = document;
        this.callable = callable;
        var sums = ImmutableArray.CreateBuilder<long>(callable.Length);
        var sum = 0L;
        foreach (var target in callable) sums.Add(sum += target.Weight);
        upTo = sums.MoveToImmutable();
    }

    /// <summary>As the platform said it.</summary>
    public ServiceDocument Document { get; }

    /// <summary>Where traffic may go: the own zone's instances first where it has any.</summary>
    public ImmutableArray<ServiceTarget> Callable => callable;

    /// <summary>Builds the list, keeping what was learnt of the instances that were there before.</summary>
    public static CallableList From(ServiceDocument document, CallableList? before, string? zone, TimeProvider time)
    {
        var known = before?.callable.ToDictionary(target => target.Id, StringComparer.Ordinal) ?? [];
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
        var near = zone is null ? [] : targets.Where(target => target.Zone == zone).ToImmutableArray();
        return new CallableList(document, targets) { Near = near.IsEmpty ? null : new CallableList(document, near) };
    }

    /// <summary>
    /// The instances of the own zone, when there are some; they are preferred while one of them answers.
    /// </summary>
    public CallableList? Near { get; private init; }

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
    public CallPlace? Take(ServiceTarget? excluded, string scheme, bool repeatable)
    {
        // Of several calls that find an instance on trial one gets it; the others look again.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (Choose(excluded, scheme, repeatable) is not { } target) return null;
            if (target.TryBegin() is { } place) return place;
        }
        return Choose(excluded, scheme, repeatable)?.Begin();
    }

    /// <summary>
    /// The better of two by load per weight, both drawn by weight; a tie goes to the first, so that idle instances get
    /// their weights' share. Doubted instances come after the others, left-out ones last, the excluded one not at all.
    /// </summary>
    /// <param name="excluded">The instance that was just tried.</param>
    /// <param name="scheme">The scheme the caller wrote: <c>https</c> is never answered in plain.</param>
    /// <param name="repeatable">True when the call can be repeated elsewhere if it fails.</param>
    public ServiceTarget? Choose(ServiceTarget? excluded, string scheme, bool repeatable = true)
    {
        if (Near?.ChooseAvailable(excluded, scheme, repeatable) is { } near) return near;
        return ChooseAvailable(excluded, scheme, repeatable)
            ?? ChooseAny(excluded, scheme, leftOut: false) ?? ChooseAny(excluded, scheme, leftOut: true);
    }

    private ServiceTarget? ChooseAvailable(ServiceTarget? excluded, string scheme, bool repeatable)
    {
        var first = Draw(excluded, null, scheme, repeatable);
        if (first is null) return null;
        var second = Draw(excluded, first, scheme, repeatable);
        if (second is null) return first;
        // a/wa > b/wb without a division; longs, because both factors may be large.
        return (long)first.InFlight * second.Weight > (long)second.InFlight * first.Weight ? second : first;
    }

    // A few draws find an available instance unless most are left out; then the list is searched from a random place.
    private ServiceTarget? Draw(ServiceTarget? excluded, ServiceTarget? other, string scheme, bool repeatable)
    {
        if (callable.IsEmpty) return null;
        for (var draw = 0; draw < 4; draw++)
        {
            var target = callable[DrawIndex()];
            if (target != other && IsAvailable(target, excluded, scheme, repeatable)) return target;
        }
        var start = DrawIndex();
        for (var offset = 0; offset < callable.Length; offset++)
        {
            var target = callable[(start + offset) % callable.Length];
            if (target != other && IsAvailable(target, excluded, scheme, repeatable)) return target;
        }
        return null;
    }

    // All are doubted, or even left out: calling one that failed is better than failing without a call.
    private ServiceTarget? ChooseAny(ServiceTarget? excluded, string scheme, bool leftOut)
    {
        if (callable.IsEmpty) return null;
        var start = DrawIndex();
        for (var offset = 0; offset < callable.Length; offset++)
        {
            var target = callable[(start + offset) % callable.Length];
            if (target != excluded && Speaks(target, scheme) && (leftOut || !target.IsEjected)) return target;
        }
        return null;
    }

    private int DrawIndex()
    {
        var drawn = Random.Shared.NextInt64(upTo[^1]) + 1;
        var index = upTo.BinarySearch(drawn);
        return index < 0 ? ~index : index;
    }

    private static bool IsAvailable(
        ServiceTarget target, ServiceTarget? excluded, string scheme, bool repeatable) =>
        target != excluded && Speaks(target, scheme) && target.CanTake(repeatable);

    private static bool Speaks(ServiceTarget target, string scheme) =>
        scheme != Uri.UriSchemeHttps || target.Scheme == Uri.UriSchemeHttps;
}

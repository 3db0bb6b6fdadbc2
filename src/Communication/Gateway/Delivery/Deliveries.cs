using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Delivery;

/// <summary>
/// Decides to which of its targets a route sends a request: the first canary rule that takes it, else the split, else
/// the only one there is.
/// </summary>
internal sealed class Deliveries
{
    private readonly ImmutableArray<Canary> canaries;
    private readonly ImmutableArray<(Target Target, long UpTo)> parts; // UpTo: weights of it and those before it.
    private readonly RequestKey? splitBy;
    private readonly PathPattern path;
    private readonly ulong salt; // Other routes cut their callers in other places.

    private Deliveries(
        ImmutableArray<Canary> canaries, ImmutableArray<(Target, long)> parts, RequestKey? splitBy, PathPattern path,
        ulong salt)
    {
        this.path = path;
        this.canaries = canaries;
        this.parts = parts;
        this.splitBy = splitBy;
        this.salt = salt;
    }

    /// <summary>Every target that a request may get.</summary>
    public IEnumerable<Target> Targets =>
        parts.Select(part => part.Target).Concat(canaries.Select(rule => rule.Target)).Distinct();

    /// <summary>The only target; null where it depends on the request.</summary>
    public Target? Only => canaries.IsEmpty && parts.Length == 1 ? parts[0].Target : null;

    /// <summary>False for one that this version does not understand.</summary>
    public static bool TryCompile(
        ResourceKey key, RouteSpec spec, PathPattern path, [NotNullWhen(true)] out Deliveries? deliveries)
    {
        deliveries = null;
        var own = KeyHash.Of(key.ToString());
        var shares = ImmutableArray.CreateBuilder<(Target, long)>();
        var sum = 0L;
        foreach (var part in spec.Split?.Parts ?? [new SplitPart(1, spec.Service, spec.Upstream)])
        {
            if (Target.TryMake(part.Service, part.Upstream, key.Namespace, part.Version, part.Metadata)
                is not { } target) return false;
            if (part.Weight > 0) shares.Add((target, sum += part.Weight));
        }
        var rules = ImmutableArray.CreateBuilder<Canary>();
        foreach (var (index, rule) in (spec.Canary ?? []).Index())
        {
            if (Canary.TryMake(key.Namespace, rule, KeyHash.Mix(own + (ulong)index + 1)) is not { } canary)
                return false;
            rules.Add(canary);
        }
        if (shares.Count == 0) return false;
        var by = spec.Split?.By is { } text ? RequestKey.Parse(text) : null;
        deliveries = new Deliveries(rules.ToImmutable(), shares.ToImmutable(), by, path, own);
        return true;
    }

    public Target Choose(in RequestView view, PathParameters parameters, Random random)
    {
        foreach (var canary in canaries)
            if (canary.Takes(view, parameters, path, random)) return canary.Target;
        if (parts.Length == 1) return parts[0].Target;
        var sum = parts[^1].UpTo;
        var at = splitBy?.Of(view, parameters, path) is { } caller
            ? (long)(KeyHash.Mix(caller ^ salt) % (ulong)sum)
            : random.NextInt64(sum);
        foreach (var (target, upTo) in parts)
            if (at < upTo) return target;
        return parts[^1].Target;
    }

    /// <summary>
    /// How likely each target gets this request, from 0 to 1 and 1 in all; what <see cref="Choose"/> would do.
    /// </summary>
    public IReadOnlyList<(Target Target, double Share)> Shares(in RequestView view, PathParameters parameters)
    {
        var shares = new List<(Target Target, double Share)>();
        var left = 1.0;
        foreach (var canary in canaries)
        {
            var taken = left * canary.Share(view, parameters, path);
            Add(shares, canary.Target, taken);
            left -= taken;
        }
        var (sum, before) = (parts[^1].UpTo, 0L);
        var at = splitBy?.Of(view, parameters, path) is { } caller
            ? (long)(KeyHash.Mix(caller ^ salt) % (ulong)sum)
            : (long?)null;
        foreach (var (target, upTo) in parts)
        {
            var share = at is not { } known ? (double)(upTo - before) / sum : known >= before && known < upTo ? 1 : 0;
            Add(shares, target, left * share);
            before = upTo;
        }
        return shares;
    }

    private static void Add(List<(Target Target, double Share)> shares, Target target, double share)
    {
        if (share <= 0) return;
        var known = shares.FindIndex(one => one.Target.Equals(target));
        if (known < 0) shares.Add((target, share));
        else shares[known] = (target, shares[known].Share + share);
    }

    /// <summary>One rule for requests that go elsewhere.</summary>
    private sealed class Canary
    {
        /// <summary>Steps of a percentage: two decimals.</summary>
        private const int Steps = 10_000;

        private readonly RouteConditions conditions;
        private readonly RequestKey? by;
        private readonly int share;
        private readonly ulong salt;

        private Canary(Target target, RouteConditions conditions, RequestKey? by, int share, ulong salt)
        {
            Target = target;
            this.conditions = conditions;
            this.by = by;
            this.share = share;
            this.salt = salt;
        }

        public Target Target { get; }

        public static Canary? TryMake(string ns, CanarySpec spec, ulong salt)
        {
            var match = new MatchSpec([], "/", Headers: spec.Headers, Cookies: spec.Cookies);
            if (Target.TryMake(spec.Service, spec.Upstream, ns, spec.Version, spec.Metadata) is not { } target
                || !RouteConditions.TryCompile(match, out var held)) return null;
            return new Canary(
                target, held, spec.By is { } text ? RequestKey.Parse(text) : null,
                (int)Math.Round((spec.Percent ?? 100) * Steps / 100), salt);
        }

        /// <summary>How likely it takes the request, from 0 to 1.</summary>
        public double Share(in RequestView view, PathParameters parameters, PathPattern path)
        {
            if (!conditions.Hold(view)) return 0;
            if (share == Steps || by?.Of(view, parameters, path) is not { } caller) return (double)share / Steps;
            return (int)(KeyHash.Mix(caller ^ salt) % Steps) < share ? 1 : 0;
        }

        public bool Takes(in RequestView view, PathParameters parameters, PathPattern path, Random random)
        {
            if (!conditions.Hold(view)) return false;
            if (share == Steps) return true;
            // The same callers stay inside when the share grows.
            var at = by?.Of(view, parameters, path) is { } caller
                ? (int)(KeyHash.Mix(caller ^ salt) % Steps)
                : random.Next(Steps);
            return at < share;
        }
    }
}

using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>A route as the request path needs it: immutable, nothing left to parse.</summary>
internal sealed class Route
{
    private readonly ImmutableArray<byte[]> methods;

    private Route(ResourceKey key, RouteSpec spec, RouteConditions conditions, Deliveries? deliveries,
        StepCompiler steps)
    {
        Key = key;
        Name = $"{key.Namespace}/{key.Name}";
        Hosts = [.. spec.Match.Hosts];
        Path = PathPattern.Parse(spec.Match.Path);
        Methods = spec.Match.Methods is { } listed ? [.. listed] : [];
        methods = [.. Methods.Select(Encoding.ASCII.GetBytes)];
        Conditions = conditions;
        Specificity = conditions.Count + (Methods.IsEmpty ? 0 : 1);
        Priority = spec.Priority;
        StrippedPrefix = spec.Request?.Path?.StripPrefix;
        Deliveries = deliveries;
        Steps = steps.Compile(new StepContext(key, spec, Path));
        Transform = RouteTransform.Compile(spec, Path);
        OwnAnswer = OwnAnswer.Compile(spec, Path);
        ExposeRevision = spec.ExposeRevision;
        Policy = RoutePolicy.Compile(key, spec, Path);
        LogsAccess = spec.Observe?.AccessLog ?? true;
        var timeouts = spec.Timeouts ?? new RouteTimeouts();
        ConnectTimeout = TimeSpan.FromMilliseconds(timeouts.ConnectMs);
        ResponseHeadTimeout = TimeSpan.FromMilliseconds(timeouts.ResponseHeadMs);
        IdleTimeout = TimeSpan.FromMilliseconds(timeouts.IdleMs);
        TryTimeout = Limit(timeouts.TryMs);
        TotalTimeout = Limit(timeouts.TotalMs);
    }

    /// <summary>
    /// The order of routes whose host and path are the same: more conditions first, then the higher priority. The key
    /// at the end makes it the same on every node. Of expressions the priority alone counts before that.
    /// </summary>
    public static IComparer<Route> Order { get; } = Comparer<Route>.Create(static (one, other) =>
    {
        var specificity = other.Specificity.CompareTo(one.Specificity);
        var priority = other.Priority.CompareTo(one.Priority);
        var (first, second) = one.Path.Form == PathForm.Expression ? (priority, specificity) : (specificity, priority);
        return first != 0 ? first : second != 0 ? second : one.Key.CompareTo(other.Key);
    });

    public ResourceKey Key { get; }

    /// <summary><c>namespace/name</c>.</summary>
    public string Name { get; }

    /// <summary>Where its requests go; null where the gateway answers itself.</summary>
    public Deliveries? Deliveries { get; }

    /// <summary>What its requests pass before they go anywhere.</summary>
    public ImmutableArray<IRequestStep> Steps { get; }

    /// <summary>What it does to requests and answers; null: nothing.</summary>
    public RouteTransform? Transform { get; }

    /// <summary>What the gateway answers itself; null where requests go somewhere.</summary>
    public OwnAnswer? OwnAnswer { get; }

    public ImmutableArray<string> Hosts { get; }

    public PathPattern Path { get; }

    /// <summary>Empty: all.</summary>
    public ImmutableArray<string> Methods { get; }

    public RouteConditions Conditions { get; }

    /// <summary>How many conditions there are; listed methods are one.</summary>
    public int Specificity { get; }

    public int Priority { get; }

    /// <summary>What is taken off the path, which services are told; null: nothing.</summary>
    public string? StrippedPrefix { get; }

    public bool ExposeRevision { get; }

    /// <summary>Whether its requests have lines in the access log.</summary>
    public bool LogsAccess { get; }

    /// <summary>Its figures, once somebody has looked them up; the same whoever does.</summary>
    public Recording.RouteSeries? Series { get; set; }

    public TimeSpan ConnectTimeout { get; }

    public TimeSpan ResponseHeadTimeout { get; }

    public TimeSpan IdleTimeout { get; }

    /// <summary>Of one try, to the head of its answer; infinite where there is none.</summary>
    public TimeSpan TryTimeout { get; }

    /// <summary>Of all of it; infinite where there is none.</summary>
    public TimeSpan TotalTimeout { get; }

    /// <summary>What happens when the service fails.</summary>
    public RoutePolicy Policy { get; }

    /// <summary>Everywhere that a request of the route may go.</summary>
    public IEnumerable<Target> Targets =>
        (Deliveries?.Targets ?? []).Concat(Policy.Fallback?.Target is { } other ? [other] : []).Distinct();

    /// <summary>
    /// Compiles a route. False with the reason for one that this version does not understand, which a newer node may
    /// have written.
    /// </summary>
    public static bool TryCompile(
        Resource resource, StepCompiler steps, [NotNullWhen(true)] out Route? route,
        [NotNullWhen(false)] out string? reason)
    {
        route = null;
        reason = null;
        var spec = resource.As<RouteSpec>();
        Deliveries? deliveries = null;
        if (PathPattern.Explain(spec.Match.Path) is { } path) reason = "its path " + path;
        else if (spec.Match.Hosts.Any(host => HostPattern.Explain(host) is not null))
            reason = "a host is not understood";
        else if (!RouteConditions.TryCompile(spec.Match, out var conditions)) reason = "a condition is not understood";
        else if (PathPattern.Parse(spec.Match.Path) is var pattern && spec is { Redirect: null, Respond: null }
            && !Deliveries.TryCompile(resource.Key, spec, pattern, out deliveries))
            reason = "its target is not understood";
        else if (new List<FieldFault>() is var faults && !IsChangeable(spec, pattern, faults))
            reason = $"its {faults[0].Path["spec.".Length..]} {faults[0].Message}";
        else route = new Route(resource.Key, spec, conditions, deliveries, steps);
        return route is not null;
    }

    private static TimeSpan Limit(int? milliseconds) =>
        milliseconds is { } given ? TimeSpan.FromMilliseconds(given) : Timeout.InfiniteTimeSpan;

    public bool Serves(ReadOnlySpan<byte> method)
    {
        if (methods.IsEmpty) return true;
        foreach (var one in methods)
            if (method.SequenceEqual(one)) return true;
        return false;
    }

    // A text with a name that the path does not capture could not be written.
    private static bool IsChangeable(RouteSpec spec, PathPattern pattern, List<FieldFault> faults)
    {
        TransformRules.Check(spec, pattern, faults);
        // A limit that is not understood must not be none.
        Limits.LimitRules.Check(spec.Limits, pattern, faults);
        ResilienceRules.Check(spec.Resilience, hasTarget: true, faults);
        return faults.Count == 0;
    }
}

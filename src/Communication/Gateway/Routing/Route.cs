using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>A route as the request path needs it: immutable, nothing left to parse.</summary>
internal sealed class Route
{
    private readonly ImmutableArray<byte[]> methods;

    private Route(ResourceKey key, RouteSpec spec, ServiceKey service, RouteConditions conditions)
    {
        Key = key;
        Name = $"{key.Namespace}/{key.Name}";
        Service = service;
        Hosts = [.. spec.Match.Hosts];
        Path = PathPattern.Parse(spec.Match.Path);
        Methods = spec.Match.Methods is { } listed ? [.. listed] : [];
        methods = [.. Methods.Select(Encoding.ASCII.GetBytes)];
        Conditions = conditions;
        Specificity = conditions.Count + (Methods.IsEmpty ? 0 : 1);
        Priority = spec.Priority;
        StrippedPrefix = spec.Request?.Path?.StripPrefix;
        StripLength = StrippedPrefix?.Length ?? 0;
        ExposeRevision = spec.ExposeRevision;
        var timeouts = spec.Timeouts ?? new RouteTimeouts();
        ConnectTimeout = TimeSpan.FromMilliseconds(timeouts.ConnectMs);
        ResponseHeadTimeout = TimeSpan.FromMilliseconds(timeouts.ResponseHeadMs);
        IdleTimeout = TimeSpan.FromMilliseconds(timeouts.IdleMs);
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

    public ServiceKey Service { get; }

    public ImmutableArray<string> Hosts { get; }

    public PathPattern Path { get; }

    /// <summary>Empty: all.</summary>
    public ImmutableArray<string> Methods { get; }

    public RouteConditions Conditions { get; }

    /// <summary>How many conditions there are; listed methods are one.</summary>
    public int Specificity { get; }

    public int Priority { get; }

    public string? StrippedPrefix { get; }

    public bool ExposeRevision { get; }

    public TimeSpan ConnectTimeout { get; }

    public TimeSpan ResponseHeadTimeout { get; }

    public TimeSpan IdleTimeout { get; }

    private int StripLength { get; }

    /// <summary>
    /// Compiles a route. False with the reason for one that this version does not understand, which a newer node may
    /// have written.
    /// </summary>
    public static bool TryCompile(
        Resource resource, [NotNullWhen(true)] out Route? route, [NotNullWhen(false)] out string? reason)
    {
        route = null;
        reason = null;
        var spec = resource.As<RouteSpec>();
        if (!ServiceKey.TryParse(spec.Service, resource.Key.Namespace, out var service))
            reason = "its service is not understood";
        else if (PathPattern.Explain(spec.Match.Path) is { } path) reason = "its path " + path;
        else if (spec.Match.Hosts.Any(host => HostPattern.Explain(host) is not null))
            reason = "a host is not understood";
        else if (!RouteConditions.TryCompile(spec.Match, out var conditions)) reason = "a condition is not understood";
        else route = new Route(resource.Key, spec, service.Value, conditions);
        return route is not null;
    }

    public bool Serves(ReadOnlySpan<byte> method)
    {
        if (methods.IsEmpty) return true;
        foreach (var one in methods)
            if (method.SequenceEqual(one)) return true;
        return false;
    }

    /// <summary>The path that the service gets.</summary>
    public string Rewrite(string path)
    {
        if (StripLength == 0) return path;
        return path.Length == StripLength ? "/" : path[StripLength..];
    }
}

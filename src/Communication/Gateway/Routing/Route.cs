using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>A route as the request path needs it: immutable, nothing left to parse.</summary>
internal sealed class Route
{
    private Route(ResourceKey key, RouteSpec spec, ServiceKey service)
    {
        Key = key;
        Name = $"{key.Namespace}/{key.Name}";
        Service = service;
        Hosts = [.. spec.Hosts];
        Path = PathPattern.Parse(spec.Path);
        Methods = spec.Methods is null ? [] : [.. spec.Methods];
        StripLength = spec.StripPrefix?.Length ?? 0;
        StrippedPrefix = spec.StripPrefix;
        ExposeRevision = spec.ExposeRevision;
        var timeouts = spec.Timeouts ?? new RouteTimeouts();
        ConnectTimeout = TimeSpan.FromMilliseconds(timeouts.ConnectMs);
        ResponseHeadTimeout = TimeSpan.FromMilliseconds(timeouts.ResponseHeadMs);
        IdleTimeout = TimeSpan.FromMilliseconds(timeouts.IdleMs);
    }

    public ResourceKey Key { get; }

    /// <summary><c>namespace/name</c>.</summary>
    public string Name { get; }

    public ServiceKey Service { get; }

    public ImmutableArray<string> Hosts { get; }

    public PathPattern Path { get; }

    /// <summary>Empty: all.</summary>
    public ImmutableArray<string> Methods { get; }

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
        else if (PathPattern.Explain(spec.Path) is { } path) reason = "its path " + path;
        else if (spec.Hosts.Any(host => HostPattern.Explain(host) is not null)) reason = "a host is not understood";
        else route = new Route(resource.Key, spec, service.Value);
        return route is not null;
    }

    /// <summary>The path that the service gets.</summary>
    public string Rewrite(string path)
    {
        if (StripLength == 0) return path;
        return path.Length == StripLength ? "/" : path[StripLength..];
    }
}

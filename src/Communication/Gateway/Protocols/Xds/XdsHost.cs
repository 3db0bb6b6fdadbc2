using System.Collections.Immutable;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>A host of the gateway's routes, whose services a client may call by itself.</summary>
/// <param name="Routes">The first that fits counts.</param>
/// <param name="Services">All that they lead to.</param>
internal sealed record XdsHost(ImmutableArray<XdsRoute> Routes, ImmutableArray<ServiceKey> Services)
{
    /// <summary>
    /// Null where a route of the host asks for more than a client does by itself, such as who may pass: whoever goes
    /// around the gateway goes around that, too.
    /// </summary>
    public static XdsHost? Of(IEnumerable<XdsRoute> all)
    {
        var routes = all.Where(route => route.TakesCalls)
            // As the gateway has it: the exact path, then the longer one, then the higher priority.
            .OrderBy(route => route.IsBelow)
            .ThenByDescending(route => route.Path?.Length ?? 0)
            .ThenByDescending(route => route.Priority)
            .ThenBy(route => route.Name, StringComparer.Ordinal)
            .ToImmutableArray();
        if (routes.IsEmpty || routes.Any(route => route.Path is null)) return null;
        return new XdsHost(
            routes, [.. routes.SelectMany(route => route.Targets).Select(target => target.Service).Distinct()]);
    }
}

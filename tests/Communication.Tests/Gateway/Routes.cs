using System.Collections.Immutable;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>Makes routes and the resources they come from.</summary>
internal static class Routes
{
    public static Resource Resource(string name, RouteSpec spec, long revision = 1) => new()
    {
        Key = new ResourceKey(RouteKind.Name, "default", name),
        Version = 1,
        Labels = ImmutableSortedDictionary<string, string>.Empty,
        Spec = JsonSerializer.SerializeToUtf8Bytes(spec, RouteKind.Kind.SpecTypeInfo),
        SpecHash = default,
        Revision = revision,
        ChangedBy = "system:test",
        ChangedAt = DateTimeOffset.UnixEpoch,
        Kind = RouteKind.Kind,
    };

    public static Route Make(
        string name, string path, IReadOnlyList<string> hosts, IReadOnlyList<string>? methods = null)
    {
        Assert.True(Route.TryCompile(
            Resource(name, new RouteSpec(hosts, path, "service", methods)), out var route, out var reason), reason);
        return route;
    }
}

using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>Checks and lists what is mapped onto one listener.</summary>
internal static class EndpointList
{
    private const string AnyMethod = "*";

    public static ImmutableArray<MappedEndpoint> Of(string listener, IEnumerable<Endpoint> endpoints)
    {
        var faults = new List<string>();
        var owners = new Dictionary<(string Method, string Shape), string>();
        var list = ImmutableArray.CreateBuilder<MappedEndpoint>();
        foreach (var endpoint in endpoints.OfType<RouteEndpoint>())
        {
            var pattern = "/" + (endpoint.RoutePattern.RawText ?? "").TrimStart('/');
            var permission = endpoint.Metadata.GetMetadata<EndpointPermission>();
            var methods = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [AnyMethod];
            foreach (var method in methods.DefaultIfEmpty(AnyMethod))
            {
                if (permission is null)
                    faults.Add($"{listener}: {method} {pattern} has no permission: add Requires, RequiresPrincipal or "
                        + "AllowsAnyone");
                else
                    list.Add(new MappedEndpoint(listener, method, pattern, permission)
                    {
                        Protocol = endpoint.Metadata.GetMetadata<ProtocolMark>()?.Name,
                    });
                if (!owners.TryAdd((method, ShapeOf(endpoint.RoutePattern)), pattern))
                    faults.Add($"{listener}: {method} {pattern} has two owners, the other as "
                        + $"{owners[(method, ShapeOf(endpoint.RoutePattern))]}");
            }
        }
        return faults.Count == 0
            ? list.ToImmutable()
            : throw new InvalidOperationException(string.Join(Environment.NewLine, faults));
    }

    /// <summary>
    /// The pattern without the names of its parameters: two patterns of one shape match the same paths.
    /// </summary>
    private static string ShapeOf(RoutePattern pattern) =>
        string.Join('/', pattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(ShapeOf))));

    private static string ShapeOf(RoutePatternPart part) => part switch
    {
        // Routing compares literals without regard to case.
        RoutePatternLiteralPart literal => literal.Content.ToUpperInvariant(),
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternParameterPart { IsCatchAll: true } => "{**}",
        RoutePatternParameterPart parameter =>
            "{" + string.Join(':', parameter.ParameterPolicies.Select(policy => policy.Content)) + "}",
        _ => throw new InvalidOperationException($"A route pattern with a part of type {part.GetType()}."),
    };
}

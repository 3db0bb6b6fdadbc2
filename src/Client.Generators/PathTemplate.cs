using System.Collections.Immutable;

namespace Groundwork.Client.Generators;

/// <summary>
/// A path such as <c>/products/{id}</c>: literals and placeholders, each placeholder a whole segment; one written
/// <c>{**rest}</c> may only be the last and keeps its slashes.
/// </summary>
internal static class PathTemplate
{
    /// <summary>The parts, or what is wrong.</summary>
    public static (ImmutableArray<PathPart> Parts, string? Fault) Read(string template)
    {
        if (!template.StartsWith("/", StringComparison.Ordinal)) return ([], "it must begin with '/'");
        if (template.IndexOfAny(['?', '#', '\\', ' ']) >= 0)
            return ([], "it must not have '?', '#', '\\' or a blank; what follows a '?' is a [Query] parameter");
        var parts = ImmutableArray.CreateBuilder<PathPart>();
        var literal = "";
        var segments = template.Substring(1).Split('/');
        for (var index = 0; index < segments.Length; index++)
        {
            var segment = segments[index];
            var isLast = index == segments.Length - 1;
            literal += "/";
            // An empty one before the end would make '//', behind which a host's name stands.
            if (segment.Length == 0 && !isLast) return ([], "it has an empty segment");
            if (segment is "." or "..") return ([], $"it has a segment '{segment}'");
            if (segment.IndexOfAny(['{', '}']) < 0)
            {
                literal += segment;
                continue;
            }
            if (Placeholder(segment) is not { } placeholder)
                return ([], $"'{segment}' is not {{name}}, nor {{**name}}, as a whole segment");
            if (placeholder.Kind == PathPartKind.Rest && !isLast)
                return ([], $"'{segment}' can only be the last segment");
            parts.Add(new PathPart(PathPartKind.Literal, literal));
            literal = "";
            if (parts.Contains(placeholder)) return ([], $"'{segment}' stands twice");
            parts.Add(placeholder);
        }
        if (literal.Length > 0) parts.Add(new PathPart(PathPartKind.Literal, literal));
        return (parts.ToImmutable(), null);
    }

    private static PathPart? Placeholder(string segment)
    {
        if (segment[0] != '{' || segment[segment.Length - 1] != '}') return null;
        var name = segment.Substring(1, segment.Length - 2);
        var isRest = name.StartsWith("**", StringComparison.Ordinal);
        if (isRest) name = name.Substring(2);
        return name.Length > 0 && name.All(c => char.IsLetterOrDigit(c) || c == '_')
            ? new PathPart(isRest ? PathPartKind.Rest : PathPartKind.Segment, name)
            : null;
    }
}

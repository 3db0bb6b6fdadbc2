using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// The routes of one host pattern: immutable. Exact paths go before templates, those before prefixes, the longest
/// first, and those before expressions. Of two templates or prefixes the one goes first that has a literal segment
/// where the other, read from the left, first has a parameter.
/// </summary>
internal sealed class HostRoutes : IRadixValue
{
    /// <summary>Characters of a path that are put on the stack for an expression.</summary>
    private const int StackCharacters = 512;

    private readonly RadixNode<PathRoutes> paths;
    private readonly ImmutableArray<Route> expressions;

    private HostRoutes(RadixNode<PathRoutes> paths, ImmutableArray<Route> expressions)
    {
        this.paths = paths;
        this.expressions = expressions;
    }

    public RadixMarks Marks => RadixMarks.Whole;

    private static HostRoutes Empty { get; } = new(RadixNode<PathRoutes>.Empty, []);

    public static HostRoutes With(HostRoutes? before, Route route)
    {
        before ??= Empty;
        return route.Path.Form == PathForm.Expression
            ? new HostRoutes(before.paths, PathRoutes.Insert(before.expressions, route))
            : new HostRoutes(
                before.paths.Edit(route.Path.Key.Span, routes => PathRoutes.With(routes, route)), before.expressions);
    }

    /// <summary>Null when none is left.</summary>
    public static HostRoutes? Without(HostRoutes? before, Route route)
    {
        if (before is null) return null;
        var after = route.Path.Form == PathForm.Expression
            ? new HostRoutes(before.paths, before.expressions.Remove(route))
            : new HostRoutes(
                before.paths.Edit(route.Path.Key.Span, routes => PathRoutes.Without(routes, route)),
                before.expressions);
        return after.paths.IsEmpty && after.expressions.IsEmpty ? null : after;
    }

    /// <summary>Finds the first route that takes the request; true when there is one.</summary>
    public bool Search(ref RouteSearch search)
    {
        if ((paths.Marks & RadixMarks.Whole) != RadixMarks.None && FindExact(ref search)) return true;
        if ((paths.Marks & RadixMarks.WholeAfterSegment) != RadixMarks.None
            && FindTemplate(paths, 0, anySegment: false, ref search)) return true;
        if ((paths.Marks & RadixMarks.Prefix) != RadixMarks.None && FindPrefix(paths, 0, ref search)) return true;
        return !expressions.IsEmpty && FindExpression(ref search);
    }

    private bool FindExact(ref RouteSearch search)
    {
        var path = search.View.Path;
        var node = paths;
        for (var at = 0; at < path.Length; at += node.Label.Length)
        {
            search.Visited++;
            if (!node.TryStep(path[at..], out var child)) return false;
            node = child;
        }
        return node.Value is { } routes && search.TryTake(routes.Whole);
    }

    private static bool FindTemplate(RadixNode<PathRoutes> node, int at, bool anySegment, ref RouteSearch search)
    {
        search.Visited++;
        // Before the first free segment only such a way is worth going; after it any end will do.
        var wanted = anySegment ? RadixMarks.Whole | RadixMarks.WholeAfterSegment : RadixMarks.WholeAfterSegment;
        if ((node.Marks & wanted) == RadixMarks.None) return false;
        var path = search.View.Path;
        if (at == path.Length) return anySegment && node.Value is { } routes && search.TryTake(routes.Whole);
        if (node.TryStep(path[at..], out var child)
            && FindTemplate(child, at + child.Label.Length, anySegment, ref search)) return true;
        if (node.Segment is null || SegmentLength(path, at) is not (> 0 and var length)) return false;
        search.Parameters.Add(at, length);
        if (FindTemplate(node.Segment, at + length, anySegment: true, ref search)) return true;
        search.Parameters.RemoveLast();
        return false;
    }

    private static bool FindPrefix(RadixNode<PathRoutes> node, int at, ref RouteSearch search)
    {
        search.Visited++;
        if ((node.Marks & RadixMarks.Prefix) == RadixMarks.None) return false;
        var path = search.View.Path;
        if (at < path.Length)
        {
            if (node.TryStep(path[at..], out var child)
                && FindPrefix(child, at + child.Label.Length, ref search)) return true;
            if (node.Segment is not null && SegmentLength(path, at) is > 0 and var length)
            {
                search.Parameters.Add(at, length);
                if (FindPrefix(node.Segment, at + length, ref search)) return true;
                search.Parameters.RemoveLast();
            }
        }
        return (at == path.Length || path[at] == '/')
            && node.Value is { Below.IsEmpty: false } routes && search.TryTake(routes.Below);
    }

    private static int SegmentLength(ReadOnlySpan<byte> path, int at)
    {
        var end = path[at..].IndexOf((byte)'/');
        return end < 0 ? path.Length - at : end;
    }

    private bool FindExpression(ref RouteSearch search)
    {
        var length = search.View.Path.Length;
        var rented = length > StackCharacters ? ArrayPool<char>.Shared.Rent(length) : null;
        var text = rented is null ? stackalloc char[StackCharacters] : rented;
        text = text[..Encoding.Latin1.GetChars(search.View.Path, text)];
        try
        {
            foreach (var route in expressions)
            {
                search.Visited++;
                if (route.Path.Expression is not { } expression || !expression.IsMatch(text)) continue;
                search.Parameters.Clear();
                Capture(route.Path, expression, text, ref search.Parameters);
                if (search.TryTake(route)) return true;
            }
            search.Parameters.Clear();
            return false;
        }
        finally
        {
            if (rented is not null) ArrayPool<char>.Shared.Return(rented);
        }
    }

    private static void Capture(
        PathPattern pattern, Regex expression, ReadOnlySpan<char> path, ref PathParameters parameters)
    {
        if (pattern.Parameters.IsEmpty) return;
        var groups = expression.Match(path.ToString()).Groups;
        foreach (var name in pattern.Parameters)
            parameters.Add(groups[name].Index, groups[name].Length); // One that took no part is empty, at 0.
    }
}

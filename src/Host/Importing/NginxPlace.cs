namespace Groundwork.Host.Importing;

/// <summary>
/// A location of nginx's in our terms. nginx takes the longest prefix, but an expression goes before it, unless the
/// prefix says <c>^~</c>; here prefixes go before expressions. So beside expressions all prefixes are written as
/// expressions, too, with priorities in their order.
/// </summary>
/// <param name="Path">Of our route.</param>
/// <param name="Source">The location, or the directive that stands for one.</param>
/// <param name="Prefix">What its path begins with in nginx; null for one that is exact, or an expression.</param>
/// <param name="CapturesRest">True: <c>{below}</c> is what follows the prefix.</param>
internal sealed record NginxPlace(
    string Path, NginxDirective Source, string? Prefix = null, int Priority = 0, bool CapturesRest = false)
{
    /// <summary>Priorities of expressions, which go before those of prefixes.</summary>
    private const int FirstExpression = 900;

    private const int FirstPrefix = 500;

    public bool IsExpression => Path.StartsWith('~');

    /// <summary>Those of one server: exact ones first, then as nginx would try them.</summary>
    public static List<NginxPlace> AllOf(NginxDirective server, Imported imported)
    {
        var locations = server.All("location").Select(one => one.Arguments.Count > 1
            ? (Sign: one.First, Path: one.Arguments[1], Source: one)
            : (Sign: "", Path: one.First, Source: one)).ToList();
        var places = new List<NginxPlace>();
        var expressions = locations.Where(one => one.Sign is "~" or "~*").ToList();
        foreach (var (sign, path, source) in locations)
            if (sign == "=" && path.StartsWith('/')) places.Add(new NginxPlace(path, source));
            else if (sign is not ("" or "^~" or "~" or "~*") || (sign is "" or "^~" && !path.StartsWith('/')))
                imported.LeaveOut(source, "only prefixes, = and expressions can be expressed");
        foreach (var (index, (sign, path, source)) in expressions.Index())
        {
            if (NginxText.ExpressionOf(path, sign == "~*") is { } ours)
                places.Add(new NginxPlace(ours, source, Priority: FirstExpression - index));
            else imported.LeaveOut(source, "too long, or it needs backtracking");
        }
        var prefixes = locations.Where(one => one.Sign is "" or "^~" && one.Path.StartsWith('/'))
            .OrderByDescending(one => one.Path.Length).ToList();
        foreach (var (index, (sign, path, source)) in prefixes.Index())
        {
            if (expressions.Count > 0 && sign == "^~" && prefixes.Exists(other => other.Sign == ""
                && other.Path.Length > path.Length && other.Path.StartsWith(path, StringComparison.Ordinal)))
                imported.LeftOut.Add(
                    $"line {source.Line}: location ^~ {path} goes before the longer ones below it here");
            if (expressions.Count == 0 || sign == "^~") places.Add(Segments(path, source, imported));
            else if (NginxText.ExpressionOfPrefix(path, RewritesOf(source)) is { } ours)
                places.Add(new NginxPlace(ours, source, path, FirstPrefix - index, RewritesOf(source)));
            else imported.LeaveOut(source, "too long beside expressions");
        }
        return places;
    }

    /// <summary>The path behind the address of <c>proxy_pass</c>, which takes the place of the location's.</summary>
    public static string PathOf(NginxDirective pass)
    {
        var at = pass.First.IndexOf("://", StringComparison.Ordinal);
        var slash = at < 0 ? -1 : pass.First.IndexOf('/', at + 3);
        return slash < 0 ? "" : pass.First[slash..];
    }

    private static bool RewritesOf(NginxDirective location) =>
        location.All("proxy_pass").Any(pass => PathOf(pass).Length > 0);

    private static NginxPlace Segments(string path, NginxDirective source, Imported imported)
    {
        var ours = path.TrimEnd('/') + "/**";
        if (path.Length > 1 && path.EndsWith('/') && !source.All("proxy_pass").Any())
            imported.LeftOut.Add(
                $"line {source.Line}: location {path} did not take {path[..^1]} in nginx; {ours} does");
        if (!path.EndsWith('/'))
            imported.LeftOut.Add(
                $"line {source.Line}: location {path} also took {path}x in nginx; {ours} takes whole segments");
        return new NginxPlace(ours, source, path);
    }
}

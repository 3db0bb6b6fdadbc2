using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Tests.Gateway.Routing;

/// <summary>
/// The table against a reference that looks at every route and sorts: thousands of small random worlds.
/// </summary>
public sealed class RouteTablePropertyTests
{
    private static readonly string[] Hosts = ["a.test", "b.a.test", "*.a.test", "*.test", "*", "10.0.0.1", "[::1]"];
    private static readonly string[] AskedHosts =
        ["a.test", "b.a.test", "c.a.test", "x.b.a.test", "test", "10.0.0.1", "[::1]", "other"];
    private static readonly string[] Segments = ["x", "y", "xy", ""];
    private static readonly string[] Methods = ["GET", "POST", "PUT"];

    [Fact]
    public void The_table_agrees_with_a_naive_search()
    {
        var random = new Random(20261121);
        for (var world = 0; world < 3_000; world++)
        {
            var routes = NewRoutes(random);
            // Half of the worlds grow out of an earlier one, so that incremental changes are compared too.
            var table = RouteTable.Empty.With([], routes);
            if (world % 2 == 1)
            {
                var gone = routes.Where(_ => random.Next(3) == 0).Select(route => route.Key).ToHashSet();
                table = table.With(gone, []);
                routes = [.. routes.Where(route => !gone.Contains(route.Key))];
            }
            for (var request = 0; request < 20; request++)
            {
                var (host, path, method) = (Pick(AskedHosts, random), NewPath(random), Pick(Methods, random));
                var expected = Search(routes, host, path, method);
                var match = table.Match(Routes.Request(method, host, path));
                Assert.True(
                    ReferenceEquals(expected, match.Route),
                    $"{method} {host} {path}: {match.Route?.Key.Name ?? "none"} instead of "
                    + $"{expected?.Key.Name ?? "none"} among\n"
                    + string.Join('\n', routes.Select(Show)));
                Assert.Equal(
                    routes.Any(route => route.Hosts.Any(pattern => HostRank(pattern, host) >= 0)), match.HostKnown);
            }
        }
    }

    private static Route? Search(List<Route> routes, string host, string path, string method) => routes
        .SelectMany(route => route.Hosts.Select(pattern => (route, host: HostRank(pattern, host))))
        .Where(pair => pair.host >= 0 && PathMatches(pair.route.Path, path)
            && (pair.route.Methods.IsEmpty || pair.route.Methods.Contains(method)))
        .OrderByDescending(pair => pair.host)
        .ThenBy(pair => pair.route.Path.Form)
        .ThenBy(pair => pair.route.Path.Text, BySegments)
        .ThenBy(pair => pair.route.Methods.IsEmpty)
        .Select(pair => pair.route)
        .FirstOrDefault();

    private static int HostRank(string pattern, string host)
    {
        if (pattern == host) return 1_000;
        if (pattern == "*") return 0;
        return pattern[0] == '*' && host.EndsWith(pattern[1..], StringComparison.Ordinal) ? pattern.Length : -1;
    }

    // From the left: a literal segment before a parameter, and the longer before what it begins with.
    private static readonly IComparer<string> BySegments = Comparer<string>.Create(static (one, other) =>
    {
        var (mine, theirs) = (Parts(one), Parts(other));
        for (var index = 0; index < Math.Min(mine.Length, theirs.Length); index++)
            if (mine[index][0] == '{' != (theirs[index][0] == '{')) return mine[index][0] == '{' ? 1 : -1;
        return theirs.Length.CompareTo(mine.Length);
    });

    private static string[] Parts(string pattern) =>
        pattern.Replace("/**", "", StringComparison.Ordinal).Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static bool PathMatches(PathPattern pattern, string path)
    {
        var isPrefix = pattern.Text.EndsWith("/**", StringComparison.Ordinal);
        var wanted = (isPrefix ? pattern.Text[..^3] : pattern.Text).Split('/');
        var given = path.Split('/');
        return (isPrefix ? given.Length >= wanted.Length : given.Length == wanted.Length)
            && wanted.Zip(given).All(pair =>
                pair.First.StartsWith('{') ? pair.Second.Length > 0 : pair.First == pair.Second);
    }

    // Without conflicts, as commits keep them out.
    private static List<Route> NewRoutes(Random random)
    {
        var routes = new List<Route>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        for (var count = random.Next(1, 12); count > 0; count--)
        {
            var hosts = Hosts.Where(_ => random.Next(4) == 0).DefaultIfEmpty(Pick(Hosts, random)).ToArray();
            var path = NewPattern(random);
            var methods = random.Next(3) == 0
                ? Methods.Where(_ => random.Next(2) == 0).DefaultIfEmpty("GET").ToArray()
                : null;
            var wants = hosts.SelectMany(host => (methods ?? ["all"]).Select(method =>
                $"{host} {PathPattern.Shape(path)} {method}"))
                .ToList();
            if (wants.Any(taken.Contains)) continue;
            taken.UnionWith(wants);
            routes.Add(Routes.Make($"r{routes.Count}", path, hosts, methods));
        }
        return routes;
    }

    private static string NewPattern(Random random)
    {
        var path = string.Concat(Enumerable.Range(0, random.Next(5)).Select(index =>
            "/" + (random.Next(3) == 0 ? $"{{p{index}}}" : Pick(Segments[..3], random))));
        return random.Next(2) == 0 || path.Length == 0 ? path + "/**" : path;
    }

    private static string NewPath(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => "/" + Pick(Segments, random)));

    private static T Pick<T>(T[] from, Random random) => from[random.Next(from.Length)];

    private static string Show(Route route) =>
        $"{route.Key.Name}: {string.Join(',', route.Hosts)} {route.Path} {string.Join(',', route.Methods)}";
}

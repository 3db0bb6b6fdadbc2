using System.Globalization;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Tests.Gateway.Routing;

/// <summary>What a match and a change cost with few routes and with many, in places looked at and in bytes.</summary>
public sealed class RouteTableCostTests
{
    private const int Many = RouteKind.MaxRoutes;

    public static TheoryData<string, string> Shapes => new()
    {
        { "one host, many paths", "localhost /service-{0}/**" },
        { "one host, deep paths", "localhost /api/v1/tenants/t{0}/orders/**" },
        { "exact paths", "localhost /pages/{0}/index" },
        { "many hosts", "shop-{0}.example.com /**" },
        { "many wildcards", "*.shop-{0}.example.com /**" },
        { "templates", "localhost /service-{0}/{{id}}/items" },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Ten_thousand_routes_cost_a_match_no_more_than_ten(string name, string shape)
    {
        var (few, fewVisited, fewBytes) = Measure(shape, 10);
        var (many, manyVisited, manyBytes) = Measure(shape, Many);

        Assert.Equal(10, few);
        Assert.Equal(Many, many);
        Assert.Equal(0, fewBytes);
        Assert.Equal(0, manyBytes);
        // A number of four digits branches at each of them: as many places more, and not a thousand times as many.
        Assert.True(manyVisited <= fewVisited + 2 * 4, $"{name}: {fewVisited} places of ten, {manyVisited} of {Many}");
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_change_copies_the_way_to_its_place_and_not_the_table(string name, string shape)
    {
        var few = MeasureChange(shape, 10);
        var many = MeasureChange(shape, Many);
        Assert.True(many < few * 6, $"{name}: {few} bytes of ten, {many} of {Many}");
    }

    [Fact]
    public void What_is_taken_away_leaves_nothing_behind()
    {
        var routes = Enumerable.Range(0, 500).Select(number => Make("localhost /a{0}/{{x}}/**", number)).ToList();
        var table = RouteTable.Empty.With([], routes);
        var random = new Random(3);
        foreach (var route in routes.OrderBy(_ => random.Next())) table = table.With([route.Key], []);
        var match = table.Match(Routes.Request("GET", "localhost", "/a1/b/c"));
        Assert.False(match.HostKnown);
        Assert.Equal((0, 1), (table.Count, match.Visited));
    }

    private static (int Found, int Visited, long Bytes) Measure(string shape, int count)
    {
        var table = Table(shape, count);
        var (found, visited) = (0, 0);
        var requests = Enumerable.Range(0, count).Select(number => Request(shape, number)).ToList();
        var fields = new HeldFields();
        foreach (var (number, (host, path)) in requests.Index())
        {
            var match = table.Match(Routes.Request("GET", host, path, fields: fields));
            if (match.Route?.Key.Name == $"r{number}") found++;
            visited = Math.Max(visited, match.Visited);
        }
        var view = Routes.Request("GET", requests[^1].Host, requests[^1].Path, fields: fields);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 100; round++) table.Match(view);
        return (found, visited, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static long MeasureChange(string shape, int count)
    {
        var table = Table(shape, count);
        var changed = Make(shape, count / 2);
        table.With([], [changed]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        table.With([], [changed]);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static RouteTable Table(string shape, int count) =>
        RouteTable.Empty.With([], [.. Enumerable.Range(0, count).Select(number => Make(shape, number))]);

    private static Route Make(string shape, int number)
    {
        var words = string.Format(CultureInfo.InvariantCulture, shape, number).Split(' ');
        return Routes.Make($"r{number}", words[1], [words[0]]);
    }

    private static (string Host, string Path) Request(string shape, int number)
    {
        var words = string.Format(CultureInfo.InvariantCulture, shape, number).Split(' ');
        return (words[0].Replace("*", "eu", StringComparison.Ordinal),
            words[1].Replace("/**", "/x/y", StringComparison.Ordinal).Replace("{id}", "7", StringComparison.Ordinal));
    }
}

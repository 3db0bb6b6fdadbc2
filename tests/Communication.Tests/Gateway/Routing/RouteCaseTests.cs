using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Gateway.Routing;

/// <summary>
/// Every file in Cases is a table of routes (<c>route NAME: HOST,… PATH METHOD,…</c>) and, after <c>---</c>, requests
/// with the route or the error that each must get.
/// </summary>
public sealed class RouteCaseTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Gateway", "Routing", "Cases");

    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var file in Directory.EnumerateFiles(Folder, "*.routes").Order(StringComparer.Ordinal))
                foreach (var request in Read(Path.GetFileName(file)).Requests)
                    data.Add(Path.GetFileName(file), request);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_request_gets_the_route_that_its_case_says(string file, string request)
    {
        var parts = request.Split(" => ");
        var words = parts[0].Split(' ');
        var table = RouteTable.Empty.With([], Read(file).Routes);

        var match = table.Match(HostPattern.Normalize(words[1]), words[2], words[0]);

        Assert.Equal(parts[1], Show(match));
    }

    private static string Show(RouteMatch match)
    {
        if (match.Route is { } route) return route.Key.Name;
        if (!match.HostKnown) return ErrorCodes.HostUnknown.Code;
        return match.Allowed is null
            ? ErrorCodes.RouteNotFound.Code
            : $"{ErrorCodes.MethodNotAllowed.Code} {string.Join(", ", match.Allowed)}";
    }

    private static (List<Route> Routes, List<string> Requests) Read(string file)
    {
        var text = File.ReadAllText(Path.Combine(Folder, file));
        var cut = text.StartsWith("---\n", StringComparison.Ordinal)
            ? 0
            : text.IndexOf("\n---\n", StringComparison.Ordinal) + 1;
        var routes = Lines(text[..cut]).Select(line =>
        {
            var (name, rest) = (line["route ".Length..line.IndexOf(':')], line[(line.IndexOf(':') + 2)..].Split(' '));
            return Routes.Make(name, rest[1], rest[0].Split(','), rest.Length > 2 ? rest[2].Split(',') : null);
        });
        return ([.. routes], [.. Lines(text[(cut + 4)..])]);
    }

    private static IEnumerable<string> Lines(string text) =>
        text.Split('\n').Where(line => line.Length > 0 && line[0] != '#');
}

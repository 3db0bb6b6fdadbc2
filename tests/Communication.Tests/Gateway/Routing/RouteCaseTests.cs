using System.Globalization;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Gateway.Routing;

/// <summary>
/// Every file in Cases is a table of routes (<c>route NAME: HOST,… PATH [METHOD,…]</c>, then conditions and a priority
/// as <c>header:x=1 query:q=1 cookie:c=1 client:10.0.0.0/8 priority:5</c>) and, after <c>---</c>, requests with the
/// route or the error that each must get.
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
        var fields = new HeldFields();
        string? client = null;
        foreach (var word in words[3..])
        {
            var (place, text) = Cut(word, ':');
            if (place == "client") client = text;
            else fields.With(Cut(text, '=').Before, Cut(text, '=').After);
        }
        var (path, query) = Cut(words[2], '?');

        var match = table.Match(Routes.Request(words[0], words[1], path, query, fields, client));

        Assert.Equal(parts[1], Show(match, Encoding.ASCII.GetBytes(path)));
    }

    private static string Show(RouteMatch match, byte[] path)
    {
        if (match.Route is { } route)
        {
            Assert.Equal(route.Path.Parameters.Length, match.Parameters.Count);
            return string.Concat(route.Path.Parameters.Select((name, index) =>
                $" {name}={Encoding.ASCII.GetString(match.Parameters.Of(path, index))}").Prepend(route.Key.Name));
        }
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
        return ([.. Lines(text[..cut]).Select(ReadRoute)], [.. Lines(text[(cut + 4)..])]);
    }

    private static Route ReadRoute(string line)
    {
        var (name, rest) = (line["route ".Length..line.IndexOf(':')], line[(line.IndexOf(':') + 2)..].Split(' '));
        var spec = new RouteSpec(new MatchSpec(rest[0].Split(','), rest[1]), "service");
        foreach (var word in rest[2..])
        {
            var (place, text) = Cut(word, ':');
            var (field, value) = Cut(text, '=');
            var match = spec.Match;
            spec = place switch
            {
                "header" => spec with { Match = match with { Headers = [.. match.Headers ?? [], Is(field, value)] } },
                "query" => spec with { Match = match with { Query = [.. match.Query ?? [], Is(field, value)] } },
                "cookie" => spec with { Match = match with { Cookies = [.. match.Cookies ?? [], Is(field, value)] } },
                "client" => spec with { Match = match with { Clients = [text] } },
                "priority" => spec with { Priority = int.Parse(text, CultureInfo.InvariantCulture) },
                _ => spec with { Match = match with { Methods = word.Split(',') } },
            };
        }
        return Routes.Make(name, spec);
    }

    private static FieldMatch Is(string name, string value) => value switch
    {
        "" => new FieldMatch(name, Present: false),
        "*" => new FieldMatch(name, Present: true),
        _ when value[0] == '~' => new FieldMatch(name, Pattern: value[1..]),
        _ when value[^1] == '*' => new FieldMatch(name, Prefix: value[..^1]),
        _ => new FieldMatch(name, Values: value.Split('|')),
    };

    private static (string Before, string After) Cut(string text, char at)
    {
        var cut = text.IndexOf(at);
        return cut < 0 ? (text, "") : (text[..cut], text[(cut + 1)..]);
    }

    private static IEnumerable<string> Lines(string text) =>
        text.Split('\n').Where(line => line.Length > 0 && line[0] != '#');
}

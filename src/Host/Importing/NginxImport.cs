using System.Text.Json.Nodes;

namespace Groundwork.Host.Importing;

/// <summary>
/// Makes routes and upstreams of nginx's <c>upstream</c>, <c>server</c> and <c>location</c>, so that a request goes
/// where nginx sent it. What docs/gateway/importing.md tells of the differences is held to a real nginx by a test.
/// </summary>
internal sealed class NginxImport
{
    private readonly Imported imported = new();
    private readonly NginxRoutes routes;
    private readonly NginxUpstreams upstreams;

    private NginxImport()
    {
        upstreams = new NginxUpstreams(imported);
        routes = new NginxRoutes(imported, upstreams);
    }

    /// <exception cref="FormatException">The text is no configuration.</exception>
    public static Imported Read(string text)
    {
        var import = new NginxImport();
        var root = NginxDirective.Read(text);
        // With or without the http block around.
        var blocks = root.All("http").SelectMany(http => http.Block).Concat(root.Block.Where(one => one.Name != "http"))
            .ToList();
        foreach (var upstream in blocks.Where(one => one.Name == "upstream")) import.upstreams.Add(upstream);
        var servers = blocks.Where(one => one.Name == "server").ToList();
        // Those that only send elsewhere come last: of one host the others are the ones that serve.
        foreach (var server in servers.OrderBy(server => server.All("return").Any()))
            import.AddServer(server, servers);
        foreach (var other in blocks.Where(one => one.Name is not ("upstream" or "server")))
            import.imported.LeaveOut(other);
        return import.imported;
    }

    private void AddServer(NginxDirective server, List<NginxDirective> all)
    {
        var hosts = HostsOf(server, all);
        foreach (var one in server.Block)
            if (one.Name is not ("server_name" or "location" or "return") && !NginxRoutes.IsInherited(one))
                imported.LeaveOut(one);
        var around = server.Block.Where(NginxRoutes.IsInherited).ToList();
        if (hosts.Count == 0) imported.LeaveOut(server, "no request comes to it");
        else if (server.All("return").FirstOrDefault() is { } answer)
        {
            // It answers before any location is looked for.
            routes.Add(hosts, new NginxPlace("/**", answer), [.. around, answer]);
            foreach (var location in server.All("location"))
                imported.LeaveOut(location, "its server answers before it");
        }
        else AddLocations(server, hosts, around);
    }

    private void AddLocations(NginxDirective server, List<string> hosts, List<NginxDirective> around)
    {
        var places = NginxPlace.AllOf(server, imported);
        foreach (var place in places)
        {
            var own = place.Source.Block;
            // As in nginx: fields of the server hold only where the location sets none.
            routes.Add(
                hosts, place, [.. around.Where(one => own.TrueForAll(mine => mine.Name != one.Name)), .. own]);
        }
        foreach (var place in places) routes.AddSlash(hosts, place);
    }

    private List<string> HostsOf(NginxDirective server, List<NginxDirective> all)
    {
        var hosts = new List<string>();
        var (isDefault, isSaid) = IsDefault(server, all);
        var names = server.All("server_name").SelectMany(one => one.Arguments).ToList();
        if (names.Count == 0) names.Add("");
        foreach (var name in names)
        {
            // Names that no request has: it is the default server that takes what no name is for.
            if (name is "_" or "")
            {
                if (isDefault) hosts.Add("*");
                else imported.LeftOut.Add($"line {server.Line}: server_name {name}: another one is the default server");
            }
            else if (name.StartsWith('~') || name.EndsWith(".*", StringComparison.Ordinal))
                imported.LeftOut.Add($"line {server.Line}: server_name {name}");
            else if (name.StartsWith('.'))
                hosts.AddRange([name[1..].ToLowerInvariant(), "*" + name.ToLowerInvariant()]);
            else hosts.Add(name.ToLowerInvariant());
        }
        if (isSaid) hosts.Add("*");
        else if (isDefault && hosts.Count > 0 && !hosts.Contains("*"))
            imported.LeftOut.Add(
                $"line {server.Line}: as the first of its address it took requests for unknown hosts, too, which are "
                + "refused here");
        return [.. hosts.Distinct(StringComparer.Ordinal)];
    }

    // Of each address one is: the one that says so, else the first.
    private static (bool Is, bool Says) IsDefault(NginxDirective server, List<NginxDirective> all)
    {
        if (ListensOf(server).Any(IsSaid)) return (true, true);
        return (ListensOf(server).Any(mine =>
            all.First(other => ListensOf(other).Any(theirs => AddressOf(theirs) == AddressOf(mine))) == server
            && !all.Exists(other =>
                ListensOf(other).Any(theirs => AddressOf(theirs) == AddressOf(mine) && IsSaid(theirs)))), false);
    }

    private static IEnumerable<NginxDirective> ListensOf(NginxDirective server) =>
        server.All("listen").DefaultIfEmpty(new NginxDirective("listen", ["80"], server.Line));

    private static bool IsSaid(NginxDirective listen) =>
        listen.Arguments.Any(one => one is "default_server" or "default");

    private static string AddressOf(NginxDirective listen)
    {
        var address = listen.First.Replace("*:", "", StringComparison.Ordinal)
            .Replace("0.0.0.0:", "", StringComparison.Ordinal);
        return address.Contains(':', StringComparison.Ordinal) || address.All(char.IsAsciiDigit)
            ? address
            : address + ":80";
    }
}

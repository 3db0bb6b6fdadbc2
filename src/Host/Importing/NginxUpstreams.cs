using System.Globalization;
using System.Text.Json.Nodes;

namespace Groundwork.Host.Importing;

/// <summary>
/// Makes upstreams of nginx's: weights, <c>ip_hash</c>, <c>hash</c>, <c>least_conn</c>, <c>random</c>, <c>backup</c>,
/// <c>sticky cookie</c>, and of addresses that stand in <c>proxy_pass</c> itself.
/// </summary>
internal sealed class NginxUpstreams(Imported imported)
{
    /// <summary>nginx counts weights from 1; here 100 is normal.</summary>
    private const int WeightOfOne = 100;

    /// <summary>The largest weight that an address may have.</summary>
    private const int MaxWeight = 10_000;

    private readonly Dictionary<string, (string Name, JsonObject Spec)> known = new(StringComparer.Ordinal);
    private readonly HashSet<string> called = new(StringComparer.Ordinal); // Those of blocks that somebody leads to.

    public void Add(NginxDirective block)
    {
        var addresses = new JsonArray();
        var spec = new JsonObject
        {
            ["addresses"] = addresses, ["choose"] = new JsonObject { ["policy"] = "round-robin" },
        };
        var servers = block.All("server").Where(IsTaken).ToList();
        var unit = UnitOf(block, servers);
        foreach (var server in servers) addresses.Add(AddressOf(server, unit));
        foreach (var one in block.Block)
            if (one.Name != "server" && !TryChoose(spec, one)) imported.LeaveOut(one);
        if (servers.Exists(server => IsLoopback(server.First))) spec["allowLoopback"] = true;
        Keep(block.First, spec);
    }

    /// <summary>The name of the upstream that a <c>proxy_pass</c> means; made where there is none yet.</summary>
    public string Of(NginxDirective pass, string scheme, string authority)
    {
        if (known.TryGetValue(authority, out var found))
        {
            if (called.Add(authority) && scheme == "https") found.Spec["scheme"] = scheme;
            else if (scheme != ((string?)found.Spec["scheme"] ?? "http"))
                imported.LeaveOut(pass, $"the upstream {found.Name} is called the same way by all its routes");
            return found.Name;
        }
        var spec = new JsonObject
        {
            ["addresses"] = new JsonArray(new JsonObject
            {
                ["address"] = WithPort(authority, scheme == "https" ? 443 : 80),
            }),
        };
        if (scheme == "https") spec["scheme"] = scheme;
        if (IsLoopback(authority)) spec["allowLoopback"] = true;
        called.Add(authority);
        return Keep(authority, spec);
    }

    private string Keep(string theirs, JsonObject spec)
    {
        var name = imported.NameOf("upstream", theirs);
        known[theirs] = (name, spec);
        imported.Add("upstream", name, spec);
        return name;
    }

    private bool IsTaken(NginxDirective server)
    {
        var taken = !server.First.StartsWith("unix:", StringComparison.Ordinal) && !server.Arguments.Contains("down");
        if (!taken) imported.LeaveOut(server, "a socket of the file system, or one that is down");
        return taken;
    }

    // Where 100 for each of theirs would be too much for the largest, all get less, in the same proportion.
    private int UnitOf(NginxDirective block, List<NginxDirective> servers)
    {
        var largest = servers.Select(WeightOf).DefaultIfEmpty(1).Max();
        if (largest <= MaxWeight) return Math.Min(WeightOfOne, MaxWeight / largest);
        imported.LeaveOut(block, $"a weight beyond {MaxWeight} counts as {MaxWeight}");
        return 1;
    }

    private JsonObject AddressOf(NginxDirective server, int unit)
    {
        var address = new JsonObject { ["address"] = WithPort(server.First, 80) };
        foreach (var argument in server.Arguments.Skip(1))
        {
            if (argument == "backup") address["tier"] = 1;
            else if (!argument.StartsWith("weight=", StringComparison.Ordinal))
                imported.LeftOut.Add($"line {server.Line}: {argument} of server {server.First}");
        }
        address["weight"] = Math.Min(MaxWeight, WeightOf(server) * unit);
        return address;
    }

    private static int WeightOf(NginxDirective server) =>
        server.Arguments.FirstOrDefault(one => one.StartsWith("weight=", StringComparison.Ordinal)) is { } given
        && int.TryParse(given.AsSpan(7), NumberStyles.None, CultureInfo.InvariantCulture, out var weight)
        && weight > 0
            ? weight
            : 1;

    private bool TryChoose(JsonObject spec, NginxDirective one)
    {
        JsonObject? choose = null;
        switch (one.Name)
        {
            case "ip_hash":
                choose = new JsonObject { ["policy"] = "hash", ["by"] = "client" };
                imported.LeftOut.Add(
                    $"line {one.Line}: ip_hash by networks of 256 addresses: here each address stays at an instance, "
                    + "and not at the one that it had");
                break;
            case "least_conn":
                choose = new JsonObject { ["policy"] = "least-requests" };
                break;
            case "random":
                choose = new JsonObject { ["policy"] = one.First == "two" ? "two-choices" : "random" };
                break;
            case "hash" when NginxText.KeyOf(one.First) is { } key:
                choose = new JsonObject { ["policy"] = "hash", ["by"] = key };
                imported.LeftOut.Add(
                    $"line {one.Line}: which instance {one.Text} leads to: here a key stays at one, too, and not at "
                    + "the one that it had");
                break;
            case "sticky" when one.First == "cookie" && one.Arguments.Count > 1:
                spec["sticky"] = StickyOf(one);
                return true;
        }
        if (choose is not null) spec["choose"] = choose;
        return choose is not null;
    }

    private JsonObject StickyOf(NginxDirective sticky)
    {
        var spec = new JsonObject { ["cookie"] = sticky.Arguments[1] };
        foreach (var argument in sticky.Arguments.Skip(2))
        {
            var (name, value) = NginxText.Cut(argument);
            if (name == "domain") spec["domain"] = value.TrimStart('.');
            else if (name == "path") spec["path"] = value;
            else if (name == "secure") spec["secure"] = true;
            else if (name == "samesite") spec["sameSite"] = value;
            else if (name == "expires" && NginxText.MillisecondsOf(value) is { } age)
                spec["maxAgeSeconds"] = age / 1_000;
            else if (name != "httponly") imported.LeftOut.Add($"line {sticky.Line}: {argument} of sticky");
        }
        return spec;
    }

    private static string WithPort(string address, int port) =>
        address.LastIndexOf(':') > address.LastIndexOf(']') ? address : string.Create(
            CultureInfo.InvariantCulture, $"{address}:{port}");

    private static bool IsLoopback(string address) =>
        address.StartsWith("127.", StringComparison.Ordinal)
        || address.StartsWith("localhost", StringComparison.Ordinal)
        || address.StartsWith("[::1]", StringComparison.Ordinal);
}

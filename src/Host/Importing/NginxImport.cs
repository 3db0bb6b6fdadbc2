using System.Globalization;
using System.Text.Json.Nodes;

namespace Groundwork.Host.Importing;

/// <summary>
/// Makes routes and upstreams of nginx's <c>upstream</c>, <c>server</c> and <c>location</c>: weights, <c>ip_hash</c>,
/// <c>hash</c>, <c>least_conn</c>, <c>random</c>, <c>backup</c>, <c>sticky cookie</c>, <c>proxy_pass</c>,
/// <c>proxy_set_header</c>, <c>proxy_hide_header</c>, <c>add_header</c>, <c>return</c>, time-outs.
/// </summary>
internal sealed class NginxImport
{
    /// <summary>nginx counts weights from 1; here 100 is normal.</summary>
    private const int WeightOfOne = 100;

    private readonly Imported imported = new();
    private readonly Dictionary<string, string> upstreams = new(StringComparer.Ordinal); // Theirs to ours.

    /// <exception cref="FormatException">The text is no configuration.</exception>
    public static Imported Read(string text)
    {
        var import = new NginxImport();
        var root = NginxDirective.Read(text);
        // With or without the http block around.
        var blocks = root.All("http").SelectMany(http => http.Block).Concat(root.Block.Where(one => one.Name != "http"))
            .ToList();
        foreach (var upstream in blocks.Where(one => one.Name == "upstream")) import.AddUpstream(upstream);
        foreach (var server in blocks.Where(one => one.Name == "server")) import.AddServer(server);
        foreach (var other in blocks.Where(one => one.Name is not ("upstream" or "server"))) import.LeaveOut(other);
        return import.imported;
    }

    private void AddUpstream(NginxDirective block)
    {
        var addresses = new JsonArray();
        var choose = new JsonObject { ["policy"] = "round-robin" };
        JsonObject? sticky = null;
        var loopback = false;
        foreach (var one in block.Block)
        {
            switch (one.Name)
            {
                case "server":
                    if (AddressOf(one) is not { } address) break;
                    addresses.Add(address);
                    loopback |= IsLoopback((string?)address["address"] ?? "");
                    break;
                case "ip_hash":
                    choose = new JsonObject { ["policy"] = "hash", ["by"] = "client" };
                    break;
                case "least_conn":
                    choose = new JsonObject { ["policy"] = "least-requests" };
                    break;
                case "random":
                    choose = new JsonObject { ["policy"] = one.First == "two" ? "two-choices" : "random" };
                    break;
                case "hash" when KeyOf(one.First) is { } key:
                    choose = new JsonObject { ["policy"] = "hash", ["by"] = key };
                    break;
                case "sticky" when one.First == "cookie" && one.Arguments.Count > 1:
                    sticky = StickyOf(one);
                    break;
                default:
                    LeaveOut(one);
                    break;
            }
        }
        var spec = new JsonObject { ["addresses"] = addresses, ["choose"] = choose };
        if (loopback) spec["allowLoopback"] = true;
        if (sticky is not null) spec["sticky"] = sticky;
        var name = imported.NameOf("upstream", block.First);
        upstreams[block.First] = name;
        imported.Add("upstream", name, spec);
    }

    private JsonObject? AddressOf(NginxDirective server)
    {
        if (server.First.StartsWith("unix:", StringComparison.Ordinal) || server.Arguments.Contains("down"))
        {
            LeaveOut(server, "a socket of the file system, or one that is down");
            return null;
        }
        var address = new JsonObject { ["address"] = WithPort(server.First, 80) };
        var weight = 1;
        foreach (var argument in server.Arguments.Skip(1))
        {
            if (argument.StartsWith("weight=", StringComparison.Ordinal)
                && int.TryParse(argument[7..], NumberStyles.None, CultureInfo.InvariantCulture, out var given))
                weight = given;
            else if (argument == "backup") address["tier"] = 1;
            else imported.LeftOut.Add($"line {server.Line}: {argument} of server {server.First}");
        }
        address["weight"] = Math.Min(10_000, weight * WeightOfOne);
        return address;
    }

    private JsonObject StickyOf(NginxDirective sticky)
    {
        var spec = new JsonObject { ["cookie"] = sticky.Arguments[1] };
        foreach (var argument in sticky.Arguments.Skip(2))
        {
            var (name, value) = Cut(argument);
            if (name == "domain") spec["domain"] = value.TrimStart('.');
            else if (name == "path") spec["path"] = value;
            else if (name == "secure") spec["secure"] = true;
            else if (name == "samesite") spec["sameSite"] = value;
            else if (name == "expires" && SecondsOf(value) is { } seconds) spec["maxAgeSeconds"] = seconds;
            else if (name != "httponly") imported.LeftOut.Add($"line {sticky.Line}: {argument} of sticky");
        }
        return spec;
    }

    private void AddServer(NginxDirective server)
    {
        var hosts = new JsonArray();
        foreach (var name in server.All("server_name").SelectMany(one => one.Arguments))
        {
            if (name is "_" or "") hosts.Add("*");
            else if (name.StartsWith('~') || name.EndsWith(".*", StringComparison.Ordinal))
                imported.LeftOut.Add($"line {server.Line}: server_name {name}");
            else if (name.StartsWith('.'))
            {
                hosts.Add(name[1..]);
                hosts.Add("*" + name);
            }
            else hosts.Add(name.ToLowerInvariant());
        }
        if (hosts.Count == 0) hosts.Add("*");
        var around = server.Block.Where(one => one.Name is "proxy_set_header" or "proxy_hide_header" or "add_header"
            or "proxy_connect_timeout" or "proxy_read_timeout").ToList();
        foreach (var one in server.Block)
        {
            if (one.Name == "location") AddLocation(one, hosts, around);
            else if (one.Name == "return") AddRoute(hosts, "/**", [one], one);
            else if (one.Name is not "server_name" && !around.Contains(one)) LeaveOut(one);
        }
    }

    private void AddLocation(NginxDirective location, JsonArray hosts, List<NginxDirective> around)
    {
        var (sign, path) = location.Arguments.Count > 1
            ? (location.First, location.Arguments[1])
            : ("", location.First);
        var pattern = sign switch
        {
            "=" => path,
            "" or "^~" when path.StartsWith('/') => path.TrimEnd('/') + "/**",
            "~" => "~" + (path.StartsWith('^') ? path[1..] : ".*" + path) + (path.EndsWith('$') ? "" : ".*"),
            _ => null,
        };
        if (pattern is null)
        {
            LeaveOut(location, "only prefixes, = and ~ can be expressed");
            return;
        }
        if (sign is "" or "^~" && !path.EndsWith('/'))
            imported.LeftOut.Add(
                $"line {location.Line}: location {path} also took {path}x in nginx; {pattern} takes whole segments");
        // Anchors are what a path's expression has anyway.
        pattern = pattern.StartsWith('~') && pattern.EndsWith('$') ? pattern[..^1] : pattern;
        var own = location.Block;
        // As in nginx: fields of the server hold only where the location sets none.
        AddRoute(hosts, pattern, [.. around.Where(one => own.All(mine => mine.Name != one.Name)), .. own], location);
    }

    private void AddRoute(JsonArray hosts, string path, List<NginxDirective> directives, NginxDirective source)
    {
        var spec = new JsonObject
        {
            ["match"] = new JsonObject { ["hosts"] = hosts.DeepClone(), ["path"] = path },
        };
        var (set, remove, answer, hidden, timeouts) =
            (new JsonObject(), new JsonArray(), new JsonObject(), new JsonArray(), new JsonObject());
        foreach (var one in directives)
        {
            switch (one.Name)
            {
                case "proxy_pass":
                    AddTarget(spec, one, path);
                    break;
                case "return":
                    AddReturn(spec, one);
                    break;
                case "proxy_set_header" when one.Arguments.Count == 2:
                    AddField(set, remove, one);
                    break;
                case "add_header" when one.Arguments.Count >= 2 && TextOf(one.Arguments[1]) is { } value:
                    answer[one.First] = value;
                    break;
                case "proxy_hide_header":
                    hidden.Add(one.First);
                    break;
                case "proxy_connect_timeout" when SecondsOf(one.First) is { } connect:
                    timeouts["connectMs"] = Math.Clamp(connect * 1_000L, 10, 30_000);
                    break;
                case "proxy_read_timeout" when SecondsOf(one.First) is { } read:
                    timeouts["responseHeadMs"] = Math.Clamp(read * 1_000L, 10, 3_600_000);
                    timeouts["idleMs"] = Math.Clamp(read * 1_000L, 1_000, 86_400_000);
                    break;
                default:
                    LeaveOut(one);
                    break;
            }
        }
        if (!spec.ContainsKey("upstream") && !spec.ContainsKey("redirect") && !spec.ContainsKey("respond"))
        {
            LeaveOut(source, "it leads nowhere that can be expressed");
            return;
        }
        Put(spec, "request", set, remove);
        Put(spec, "response", answer, hidden);
        if (timeouts.Count > 0) spec["timeouts"] = timeouts;
        var host = (string?)hosts[0] ?? "*"; // Every server has one.
        imported.Add("route", imported.NameOf("route", host == "*" ? "any" + path : host + path), spec);
    }

    private void AddTarget(JsonObject spec, NginxDirective pass, string path)
    {
        if (!Uri.TryCreate(pass.First, UriKind.Absolute, out var address)
            || pass.First.Contains('$', StringComparison.Ordinal))
        {
            LeaveOut(pass, "an address made of variables");
            return;
        }
        var authority = pass.First[(address.Scheme.Length + 3)..].Split('/')[0];
        if (!upstreams.TryGetValue(authority, out var name))
        {
            name = imported.NameOf("upstream", authority);
            upstreams[authority] = name;
            var port = address.Scheme == "https" ? 443 : 80;
            var target = new JsonObject
            {
                ["addresses"] = new JsonArray(new JsonObject { ["address"] = WithPort(authority, port) }),
            };
            if (address.Scheme == "https") target["scheme"] = "https";
            if (IsLoopback(authority)) target["allowLoopback"] = true;
            imported.Add("upstream", name, target);
        }
        spec["upstream"] = name;
        var rest = pass.First[(address.Scheme.Length + 3 + authority.Length)..];
        if (rest.Length == 0 || !path.EndsWith("/**", StringComparison.Ordinal)) return;
        // A path behind the address takes the place of the location's.
        var change = new JsonObject();
        if (path.Length > 3) change["stripPrefix"] = path[..^3];
        if (rest.TrimEnd('/').Length > 0) change["addPrefix"] = rest.TrimEnd('/');
        if (change.Count > 0) spec["request"] = new JsonObject { ["path"] = change };
    }

    private void AddReturn(JsonObject spec, NginxDirective answer)
    {
        var status = int.TryParse(answer.First, NumberStyles.None, CultureInfo.InvariantCulture, out var given)
            ? given
            : 302;
        var text = answer.Arguments.Count > 1 ? answer.Arguments[1] : status == given ? "" : answer.First;
        if (status is 301 or 302 or 303 or 307 or 308)
        {
            var keeps = text.Contains("$request_uri", StringComparison.Ordinal);
            var to = TextOf(text.Replace("$request_uri", "{path}", StringComparison.Ordinal));
            if (to is null) LeaveOut(answer);
            else spec["redirect"] = new JsonObject { ["to"] = to, ["status"] = status, ["keepQuery"] = keeps };
        }
        else if (status is >= 200 and <= 599 && TextOf(text) is not null)
        {
            spec["respond"] = new JsonObject { ["status"] = status };
            if (text.Length > 0) spec["respond"]!["body"] = text; // Just set.
        }
        else LeaveOut(answer);
    }

    private void AddField(JsonObject set, JsonArray remove, NginxDirective header)
    {
        var name = header.First;
        // The gateway says these itself, as most configurations do by hand.
        if (name.ToLowerInvariant() is "x-forwarded-for" or "x-forwarded-proto" or "x-forwarded-host" or "connection"
            or "upgrade") return;
        if (header.Arguments[1].Length == 0) remove.Add(name);
        else if (name.ToLowerInvariant() is not "host" && TextOf(header.Arguments[1]) is { } value) set[name] = value;
        else LeaveOut(header);
    }

    // Null for a text with variables that we do not have.
    private static string? TextOf(string text)
    {
        var plain = text.Replace("{", "{{", StringComparison.Ordinal)
            .Replace("{{path}", "{path}", StringComparison.Ordinal)
            .Replace("$host", "{host}", StringComparison.Ordinal)
            .Replace("$remote_addr", "{client}", StringComparison.Ordinal)
            .Replace("$uri", "{path}", StringComparison.Ordinal);
        return plain.Contains('$', StringComparison.Ordinal) ? null : plain;
    }

    private static string? KeyOf(string key) => key switch
    {
        "$remote_addr" or "$binary_remote_addr" => "client",
        _ when key.StartsWith("$http_", StringComparison.Ordinal) => "header:" + key[6..].Replace('_', '-'),
        _ when key.StartsWith("$cookie_", StringComparison.Ordinal) => "cookie:" + key[8..],
        _ when key.StartsWith("$arg_", StringComparison.Ordinal) => "query:" + key[5..],
        _ => null,
    };

    private static void Put(JsonObject spec, string side, JsonObject set, JsonArray remove)
    {
        if (set.Count == 0 && remove.Count == 0) return;
        var headers = new JsonObject();
        if (set.Count > 0) headers["set"] = set;
        if (remove.Count > 0) headers["remove"] = remove;
        if (spec[side] is not JsonObject part) spec[side] = part = [];
        part["headers"] = headers;
    }

    private static string WithPort(string address, int port) =>
        address.LastIndexOf(':') > address.LastIndexOf(']') ? address : string.Create(
            CultureInfo.InvariantCulture, $"{address}:{port}");

    private static bool IsLoopback(string address) =>
        address.StartsWith("127.", StringComparison.Ordinal)
        || address.StartsWith("localhost", StringComparison.Ordinal)
        || address.StartsWith("[::1]", StringComparison.Ordinal);

    private static (string Name, string Value) Cut(string argument)
    {
        var at = argument.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? (argument, "") : (argument[..at], argument[(at + 1)..]);
    }

    private static int? SecondsOf(string text)
    {
        var unit = text.Length > 0 && char.IsAsciiLetter(text[^1]) ? text[^1] : 's';
        var digits = text.TrimEnd('s', 'm', 'h', 'd');
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return null;
        return count * (unit switch { 'm' => 60, 'h' => 3_600, 'd' => 86_400, _ => 1 });
    }

    private void LeaveOut(NginxDirective directive, string? why = null) => imported.LeftOut.Add(
        $"line {directive.Line}: {directive.Text}{(why is null ? "" : $" ({why})")}");
}

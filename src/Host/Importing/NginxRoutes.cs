using System.Globalization;
using System.Text.Json.Nodes;

namespace Groundwork.Host.Importing;

/// <summary>Makes the routes of locations: where they lead, what becomes of requests and answers, time-outs.</summary>
internal sealed class NginxRoutes(Imported imported, NginxUpstreams upstreams)
{
    /// <summary>nginx's own, where a file says nothing; ours are shorter.</summary>
    private const long ReadMs = 60_000;

    private readonly HashSet<(string Host, string Path)> taken = [];

    /// <summary>True for what locations have of their server.</summary>
    public static bool IsInherited(NginxDirective one) => one.Name is "proxy_set_header" or "proxy_hide_header"
        or "add_header" or "proxy_connect_timeout" or "proxy_read_timeout";

    public void Add(List<string> hosts, NginxPlace place, List<NginxDirective> directives)
    {
        var spec = new JsonObject();
        var fields = new Fields();
        var timeouts = new JsonObject { ["responseHeadMs"] = ReadMs, ["idleMs"] = ReadMs };
        var answer = directives.Find(one => one.Name == "return");
        if (answer is not null) AddReturn(spec, answer);
        foreach (var one in directives)
        {
            switch (one.Name)
            {
                case "return":
                    break;
                case "proxy_pass" when answer is null:
                    AddTarget(spec, one, place);
                    break;
                case "proxy_set_header" when one.Arguments.Count == 2:
                    AddField(spec, fields, one);
                    break;
                case "add_header" when one.Arguments.Count >= 2 && NginxText.TemplateOf(one.Arguments[1]) is { } value
                    && fields.Answer.TryAdd(one.First, value):
                    break;
                case "proxy_hide_header":
                    fields.Hidden.Add(one.First);
                    break;
                case "proxy_connect_timeout" when NginxText.MillisecondsOf(one.First) is { } connect:
                    timeouts["connectMs"] = Math.Clamp(connect, 10, 30_000);
                    break;
                case "proxy_read_timeout" when NginxText.MillisecondsOf(one.First) is { } read:
                    timeouts["responseHeadMs"] = Math.Clamp(read, 10, 3_600_000);
                    timeouts["idleMs"] = Math.Clamp(read, 1_000, 86_400_000);
                    break;
                default:
                    imported.LeaveOut(one);
                    break;
            }
        }
        if (!spec.ContainsKey("upstream") && !spec.ContainsKey("redirect") && !spec.ContainsKey("respond"))
        {
            imported.LeaveOut(place.Source, "it leads nowhere that can be expressed");
            return;
        }
        // What is never sent has no fields to change.
        if (spec.ContainsKey("upstream"))
        {
            Put(spec, "request", "set", fields.Set, fields.Removed);
            spec["timeouts"] = timeouts;
        }
        else spec.Remove("request");
        Put(spec, "response", "add", fields.Answer, fields.Hidden);
        if (place.Priority != 0) spec["priority"] = place.Priority;
        Keep(hosts, place.Path, place.Source, spec);
    }

    /// <summary>As nginx: the name of a proxied folder without its slash is sent to the one with it.</summary>
    public void AddSlash(List<string> hosts, NginxPlace place)
    {
        if (place.Prefix is not { Length: > 1 } prefix || !prefix.EndsWith('/')
            || !place.Source.All("proxy_pass").Any()) return;
        Keep(hosts, prefix[..^1], null, new JsonObject
        {
            ["redirect"] = new JsonObject
            {
                ["to"] = NginxText.Literal(prefix), ["status"] = 301, ["keepQuery"] = true,
            },
        });
    }

    // Two servers of one name, such as one for each port, want the same requests; here there is one for all ports.
    private void Keep(List<string> hosts, string path, NginxDirective? source, JsonObject spec)
    {
        var free = hosts.Where(host => taken.Add((host, path))).ToList();
        if (free.Count < hosts.Count && source is not null)
            imported.LeaveOut(source, $"{string.Join(' ', hosts.Except(free))} {path} has a route already"
                + (spec.ContainsKey("redirect") ? "; see redirectToHttps of listeners" : ""));
        if (free.Count == 0) return;
        var ordered = new JsonObject
        {
            ["match"] = new JsonObject
            {
                ["hosts"] = new JsonArray([.. free.Select(host => (JsonNode)host)]), ["path"] = path,
            },
        };
        foreach (var (name, value) in spec.ToList())
        {
            spec.Remove(name);
            ordered[name] = value;
        }
        var wish = source?.Name == "location" ? source.Arguments[^1] : path;
        imported.Add("route", imported.NameOf("route", (free[0] == "*" ? "any" : free[0]) + wish), ordered);
    }

    private void AddTarget(JsonObject spec, NginxDirective pass, NginxPlace place)
    {
        if (!Uri.TryCreate(pass.First, UriKind.Absolute, out var address) || NginxText.HasVariables(pass.First))
        {
            imported.LeaveOut(pass, "an address made of variables");
            return;
        }
        var rest = NginxPlace.PathOf(pass);
        var authority = pass.First[(address.Scheme.Length + 3)..^rest.Length];
        spec["upstream"] = upstreams.Of(pass, address.Scheme, authority);
        if (rest.Length == 0) return;
        // A path behind the address takes the place of the location's.
        var change = new JsonObject();
        if (place.CapturesRest) change["template"] = NginxText.Literal(rest) + "{below}";
        else if (place.Prefix is not { } prefix) change["template"] = NginxText.Literal(rest);
        else
        {
            if (prefix.Length > 1) change["stripPrefix"] = prefix.TrimEnd('/');
            if (rest.Length > 1) change["addPrefix"] = rest.TrimEnd('/');
            if (prefix.EndsWith('/') != rest.EndsWith('/'))
                imported.LeaveOut(pass, $"{rest} takes the place of {prefix} by whole segments");
        }
        if (change.Count > 0) Part(spec, "request")["path"] = change;
    }

    private void AddReturn(JsonObject spec, NginxDirective answer)
    {
        var isStatus = int.TryParse(answer.First, NumberStyles.None, CultureInfo.InvariantCulture, out var status);
        var text = answer.Arguments.Count > 1 ? answer.Arguments[1] : isStatus ? "" : answer.First;
        if (!isStatus) status = 302;
        if (status is 301 or 302 or 303 or 307 or 308 && text.Length > 0)
        {
            var to = NginxText.TemplateOf(text);
            if (to is null || !(to.StartsWith('/') || to.StartsWith("http", StringComparison.Ordinal)))
                imported.LeaveOut(answer);
            else
                spec["redirect"] = new JsonObject
                {
                    ["to"] = to, ["status"] = status,
                    ["keepQuery"] = text.Contains("$request_uri", StringComparison.Ordinal),
                };
        }
        // 444 closes without an answer, which is no answer of ours.
        else if (status is >= 200 and <= 599 and not 444 && !NginxText.HasVariables(text))
        {
            var respond = new JsonObject { ["status"] = status };
            if (text.Length > 0) respond["body"] = text;
            spec["respond"] = respond;
        }
        else imported.LeaveOut(answer);
    }

    private void AddField(JsonObject spec, Fields fields, NginxDirective header)
    {
        var (name, value) = (header.First, header.Arguments[1]);
        switch (name.ToLowerInvariant())
        {
            // The gateway says these itself, as most configurations do by hand.
            case "connection" or "upgrade":
            case "x-forwarded-for" when value is "$proxy_add_x_forwarded_for" or "$remote_addr":
            case "x-forwarded-proto" when value is "$scheme":
            case "x-forwarded-host" when value is "$host" or "$http_host":
                break;
            case "host" when value is "$host" or "$http_host":
                Part(spec, "request")["host"] = "{host}";
                if (value == "$http_host") imported.LeaveOut(header, "here it goes on without a port");
                break;
            case "host" when value == "$proxy_host":
                imported.LeaveOut(header, "instances get their own address");
                break;
            case "host" when !NginxText.HasVariables(value) && value.Length > 0:
                Part(spec, "request")["host"] = value.ToLowerInvariant();
                break;
            case "host" or "x-forwarded-for" or "x-forwarded-proto" or "x-forwarded-host" or "forwarded" or "via":
                imported.LeaveOut(header, "it is the gateway's to write");
                break;
            default:
                if (value.Length == 0) fields.Removed.Add(name);
                else if (NginxText.TemplateOf(value) is { } text) fields.Set[name] = text;
                else imported.LeaveOut(header);
                break;
        }
    }

    private static JsonObject Part(JsonObject spec, string side)
    {
        if (spec[side] is not JsonObject part) spec[side] = part = [];
        return part;
    }

    private static void Put(JsonObject spec, string side, string how, JsonObject written, JsonArray removed)
    {
        if (written.Count == 0 && removed.Count == 0) return;
        var headers = new JsonObject();
        if (written.Count > 0) headers[how] = written;
        if (removed.Count > 0) headers["remove"] = removed;
        Part(spec, side)["headers"] = headers;
    }

    private sealed class Fields
    {
        public JsonObject Set { get; } = [];

        public JsonArray Removed { get; } = [];

        public JsonObject Answer { get; } = [];

        public JsonArray Hidden { get; } = [];
    }
}

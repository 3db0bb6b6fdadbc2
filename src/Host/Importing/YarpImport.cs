using System.Text.Json;
using System.Text.Json.Nodes;

namespace Groundwork.Host.Importing;

/// <summary>Makes routes and upstreams of YARP's JSON: routes with their matches and transforms, clusters with their
/// destinations.</summary>
internal sealed class YarpImport
{
    private readonly Imported imported = new();
    private readonly Dictionary<string, string> upstreams = new(StringComparer.Ordinal); // Theirs to ours.

    /// <exception cref="JsonException">The text is no JSON object.</exception>
    public static Imported Read(string text)
    {
        var root = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions
        {
            CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true,
        }) as JsonObject ?? throw new JsonException("it is no object");
        var proxy = root["ReverseProxy"] as JsonObject ?? root;
        var import = new YarpImport();
        foreach (var (name, cluster) in Members(proxy, "Clusters")) import.AddCluster(name, cluster);
        foreach (var (name, route) in Members(proxy, "Routes")) import.AddRoute(name, route);
        foreach (var (name, _) in proxy)
            if (name is not ("Clusters" or "Routes")) import.imported.LeftOut.Add(name);
        return import.imported;
    }

    private void AddCluster(string name, JsonObject cluster)
    {
        var spec = new JsonObject();
        var addresses = new JsonArray();
        var scheme = "http";
        foreach (var (destination, one) in Members(cluster, "Destinations"))
        {
            var at = $"cluster {name}, destination {destination}";
            if (!Uri.TryCreate((string?)one["Address"], UriKind.Absolute, out var address))
            {
                imported.LeftOut.Add($"{at}: Address");
                continue;
            }
            scheme = address.Scheme;
            if (address.AbsolutePath != "/") imported.LeftOut.Add($"{at}: the path {address.AbsolutePath}");
            if (address.IsLoopback) spec["allowLoopback"] = true;
            addresses.Add(new JsonObject { ["address"] = $"{address.Host.ToLowerInvariant()}:{address.Port}" });
            Rest(at, one, "Address");
        }
        spec["addresses"] = addresses;
        if (scheme == "https") spec["scheme"] = scheme;
        spec["choose"] = new JsonObject { ["policy"] = PolicyOf(name, (string?)cluster["LoadBalancingPolicy"]) };
        if (cluster["SessionAffinity"] is JsonObject { } affinity && (bool?)affinity["Enabled"] == true)
        {
            if ((string?)affinity["Policy"] is null or "Cookie" or "HashCookie" or "ArrCookie")
                spec["sticky"] = new JsonObject { ["cookie"] = (string?)affinity["AffinityKeyName"] ?? "affinity" };
            else imported.LeftOut.Add($"cluster {name}: SessionAffinity by {affinity["Policy"]}");
        }
        Rest($"cluster {name}", cluster, "Destinations", "LoadBalancingPolicy", "SessionAffinity");
        upstreams[name] = imported.NameOf("upstream", name);
        imported.Add("upstream", upstreams[name], spec);
    }

    private string PolicyOf(string cluster, string? policy)
    {
        switch (policy)
        {
            case null or "PowerOfTwoChoices":
                return "two-choices";
            case "RoundRobin":
                return "round-robin";
            case "LeastRequests":
                return "least-requests";
            case "Random":
                return "random";
            default:
                imported.LeftOut.Add($"cluster {cluster}: LoadBalancingPolicy {policy}");
                return "two-choices";
        }
    }

    private void AddRoute(string name, JsonObject route)
    {
        var at = $"route {name}";
        var cluster = (string?)route["ClusterId"];
        if (cluster is null || !upstreams.TryGetValue(cluster, out var upstream))
        {
            imported.LeftOut.Add($"{at}: it has no cluster that is there");
            return;
        }
        var theirs = route["Match"] as JsonObject ?? [];
        if (PathOf(at, (string?)theirs["Path"]) is not { } path) return;
        var match = new JsonObject { ["hosts"] = HostsOf(theirs), ["path"] = path };
        if (theirs["Methods"] is JsonArray { Count: > 0 } methods)
            match["methods"] = new JsonArray([.. methods.Select(one => (JsonNode?)((string?)one)?.ToUpperInvariant())]);
        AddConditions(at, match, "headers", theirs["Headers"]);
        AddConditions(at, match, "query", theirs["QueryParameters"]);
        Rest(at, theirs, "Path", "Hosts", "Methods", "Headers", "QueryParameters");
        var spec = new JsonObject { ["match"] = match, ["upstream"] = upstream };
        // There the lower order goes first.
        if ((int?)route["Order"] is { } order and not 0) spec["priority"] = Math.Clamp(-order, -1_000, 1_000);
        foreach (var transform in (route["Transforms"] as JsonArray ?? []).OfType<JsonObject>())
            if (!TryTransform(spec, transform)) imported.LeftOut.Add($"{at}: transform {transform.ToJsonString()}");
        Rest(at, route, "ClusterId", "Match", "Order", "Transforms");
        imported.Add("route", imported.NameOf("route", name), spec);
    }

    private static JsonArray HostsOf(JsonObject match)
    {
        var hosts = (match["Hosts"] as JsonArray ?? []).Select(host => ((string?)host ?? "").ToLowerInvariant());
        JsonArray ours = [.. hosts.Select(host => (JsonNode)host.Split(':')[0])];
        if (ours.Count == 0) ours.Add("*");
        return ours;
    }

    // {name} is ours too; {**rest} at the end is everything below.
    private string? PathOf(string at, string? path)
    {
        if (path is null) return "/**";
        var segments = path.TrimStart('/').Split('/');
        for (var index = 0; index < segments.Length; index++)
        {
            var segment = segments[index];
            if (segment.StartsWith("{**", StringComparison.Ordinal) && index == segments.Length - 1)
            {
                segments[index] = "**";
                continue;
            }
            if (!segment.AsSpan().ContainsAny('{', '}', '*')) continue;
            if (segment.StartsWith('{') && segment.EndsWith('}') && segment[1..^1].All(char.IsAsciiLetterOrDigit))
                continue;
            imported.LeftOut.Add($"{at}: the path {path}");
            return null;
        }
        return "/" + string.Join('/', segments);
    }

    private void AddConditions(string at, JsonObject match, string place, JsonNode? conditions)
    {
        var ours = new JsonArray();
        foreach (var one in (conditions as JsonArray ?? []).OfType<JsonObject>())
        {
            var condition = new JsonObject { ["name"] = (string?)one["Name"] };
            var values = one["Values"] as JsonArray ?? [];
            switch ((string?)one["Mode"])
            {
                case null or "ExactHeader" or "Exact":
                    condition["values"] = values.DeepClone();
                    break;
                case "HeaderPrefix" or "Prefix" when values.Count == 1:
                    condition["prefix"] = (string?)values[0];
                    break;
                case "Exists":
                    condition["present"] = true;
                    break;
                case "NotExists":
                    condition["present"] = false;
                    break;
                default:
                    imported.LeftOut.Add($"{at}: {place} {one.ToJsonString()}");
                    continue;
            }
            ours.Add(condition);
        }
        if (ours.Count > 0) match[place] = ours;
    }

    private static bool TryTransform(JsonObject spec, JsonObject transform)
    {
        if ((string?)transform["PathRemovePrefix"] is { } strip) Part(spec, "request", "path")["stripPrefix"] = strip;
        else if ((string?)transform["PathPrefix"] is { } prefix) Part(spec, "request", "path")["addPrefix"] = prefix;
        else if ((string?)transform["PathPattern"] is { } pattern)
            Part(spec, "request", "path")["template"] = pattern.Contains("{**", StringComparison.Ordinal)
                ? pattern[..pattern.IndexOf("{**", StringComparison.Ordinal)] + "{rest}"
                : pattern;
        else if ((string?)transform["RequestHeader"] is { } request)
            return Write(spec, "request", "headers", request, transform);
        else if ((string?)transform["ResponseHeader"] is { } answer)
            return Write(spec, "response", "headers", answer, transform);
        else if ((string?)transform["QueryValueParameter"] is { } query)
            return Write(spec, "request", "query", query, transform);
        else if ((string?)transform["RequestHeaderRemove"] is { } gone) Remove(spec, "request", "headers", gone);
        else if ((string?)transform["ResponseHeaderRemove"] is { } hidden) Remove(spec, "response", "headers", hidden);
        else if ((string?)transform["QueryRemoveParameter"] is { } parameter)
            Remove(spec, "request", "query", parameter);
        else return false;
        return true;
    }

    private static bool Write(JsonObject spec, string side, string what, string name, JsonObject transform)
    {
        var set = transform.ContainsKey("Set") ? "set" : "add";
        var value = (string?)transform[set == "set" ? "Set" : "Append"];
        if (value is null) return false;
        var part = Part(spec, side, what);
        if (part[set] is not JsonObject values) part[set] = values = [];
        values[name] = value;
        return true;
    }

    private static void Remove(JsonObject spec, string side, string what, string name)
    {
        var part = Part(spec, side, what);
        if (part["remove"] is not JsonArray names) part["remove"] = names = [];
        names.Add(name);
    }

    private static JsonObject Part(JsonObject spec, string side, string what)
    {
        if (spec[side] is not JsonObject outer) spec[side] = outer = [];
        if (outer[what] is not JsonObject inner) outer[what] = inner = [];
        return inner;
    }

    private static IEnumerable<KeyValuePair<string, JsonObject>> Members(JsonObject of, string name) =>
        (of[name] as JsonObject ?? []).Where(member => member.Value is JsonObject)
            .Select(member => KeyValuePair.Create(member.Key, (JsonObject)member.Value!)); // An object, as filtered.

    private void Rest(string at, JsonObject of, params string[] known)
    {
        foreach (var (name, _) in of)
            if (!known.Contains(name)) imported.LeftOut.Add($"{at}: {name}");
    }
}

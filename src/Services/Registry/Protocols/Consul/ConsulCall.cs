using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>What is common to calls of Consul's API: its query, and the shapes of answers and faults.</summary>
/// <param name="Index">The index that the client has seen; null: it does not wait.</param>
/// <param name="Wait">How long it waits for another, the documented part on top included.</param>
internal sealed record ConsulCall(
    string Namespace, long? Index, TimeSpan Wait, ConsulFilter? Filter, ImmutableArray<string> Tags,
    ImmutableArray<KeyValuePair<string, string>> NodeMeta, bool Passing)
{
    /// <summary>Longest wait, as Consul has it.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(10);

    /// <summary>How long a client waits that does not say.</summary>
    private static readonly TimeSpan DefaultWait = TimeSpan.FromMinutes(5);

    /// <summary>A part of the wait that is added by chance, so that those who wait do not come back in step.</summary>
    private const int JitterPart = 16;

    /// <summary>The index of the answers.</summary>
    private const string IndexHeader = "X-Consul-Index";

    /// <summary>
    /// The access key of a call: the parameter counts first, then Consul's header, then <c>Authorization</c>.
    /// </summary>
    public static string? KeyOf(HttpRequest request) =>
        request.Query["token"].ToString() is { Length: > 0 } parameter ? parameter
        : request.Headers["X-Consul-Token"].ToString() is { Length: > 0 } header ? header
        : null;

    public static Outcome<ConsulCall> Read(HttpRequest request)
    {
        var query = request.Query;
        if (CheckPlace(query["dc"], query["partition"]) is { } wrong) return wrong;
        var ns = query["ns"].ToString();
        if (ns.Length > 0 && !Names.IsNamespace(ns)) return ConsulRules.Bad($"Invalid namespace: {ns}");
        long? index = null;
        if (query["index"].ToString() is { Length: > 0 } seen)
        {
            if (!long.TryParse(seen, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return ConsulRules.Bad("Invalid index");
            index = number == 0 ? null : number;
        }
        var wait = DefaultWait;
        if (query["wait"].ToString() is { Length: > 0 } asked)
        {
            if (GoDuration.Parse(asked) is not { } span) return ConsulRules.Bad("Invalid wait time");
            wait = span > MaxWait ? MaxWait : span == TimeSpan.Zero ? DefaultWait : span;
        }
        ConsulFilter? filter = null;
        if (query["filter"].ToString() is { Length: > 0 } text)
        {
            if (!ConsulFilter.Parse(text).TryGet(out filter, out var fault)) return fault;
        }
        var meta = query["node-meta"].OfType<string>().Select(pair => pair.Split(':', 2))
            .Where(pair => pair.Length == 2).Select(pair => KeyValuePair.Create(pair[0], pair[1]));
        return new ConsulCall(
            ns.Length == 0 ? Names.DefaultNamespace : ns,
            index,
            wait + TimeSpan.FromTicks(Random.Shared.NextInt64(wait.Ticks / JitterPart + 1)),
            filter,
            [.. query["tag"].OfType<string>().Where(tag => tag.Length > 0)],
            [.. meta],
            // As Consul has it: the parameter alone says so, unless it says false.
            query.ContainsKey("passing")
                && query["passing"].ToString() is not ("false" or "0" or "f" or "F" or "FALSE"));
    }

    /// <summary>The fault of a datacenter or a partition that there is not.</summary>
    public static Fault? CheckPlace(string? datacenter, string? partition = null)
    {
        if (!ProtocolNames.IsConsulDatacenter(datacenter)) return ConsulRules.Bad("No path to datacenter");
        return string.IsNullOrEmpty(partition) || partition == "default"
            ? null
            : ConsulRules.Bad("There are no admin partitions");
    }

    /// <summary>True for what the client narrowed the list to.</summary>
    public bool Admits(ConsulEntry entry)
    {
        foreach (var tag in Tags)
            if (!entry.Instance.Tags.Contains(tag, StringComparer.OrdinalIgnoreCase)) return false;
        foreach (var (name, value) in NodeMeta)
            if (entry.Kept?.Machine?.Meta?.GetValueOrDefault(name) != value) return false;
        return !Passing || ConsulShapes.IsPassing(entry);
    }

    /// <summary>
    /// The items that the client's filter admits; the filter's fault when it asks for what there is not.
    /// </summary>
    public Outcome<JsonArray> Select(IEnumerable<JsonObject> items)
    {
        var selected = new JsonArray();
        foreach (var item in items)
        {
            if (!Matches(item).TryGet(out var matches, out var fault)) return fault;
            if (matches) selected.Add(item);
        }
        return selected;
    }

    /// <summary>True for an item that the client's filter admits.</summary>
    public Outcome<bool> Matches(JsonObject item) => Filter?.Matches(item) ?? true;

    /// <summary>True for a list that is not narrowed, but perhaps to what passes.</summary>
    public bool IsPlain => Filter is null && Tags.IsEmpty && NodeMeta.IsEmpty;

    public static Task WriteAsync(HttpContext context, JsonNode? content, long? index = null) =>
        WriteAsync(context, Encoding.UTF8.GetBytes(content?.ToJsonString() ?? "null"), index);

    public static async Task WriteAsync(HttpContext context, byte[] json, long? index = null)
    {
        var response = context.Response;
        if (index is { } number)
        {
            // Never 0, which its clients take for a mistake.
            response.Headers[IndexHeader] = Math.Max(1, number).ToString(CultureInfo.InvariantCulture);
            response.Headers["X-Consul-KnownLeader"] = "true";
            response.Headers["X-Consul-LastContact"] = "0";
        }
        response.ContentType = "application/json";
        response.ContentLength = json.Length;
        response.Headers.CacheControl = "no-store";
        await response.Body.WriteAsync(json, context.RequestAborted);
    }

    /// <summary>A change that went well: 200 and nothing.</summary>
    public static Task WriteDoneAsync(HttpContext context)
    {
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    /// <summary>A fault as Consul words them: plain text. Whoever may not is 403, known or not.</summary>
    public static Task WriteAsync(HttpContext context, Fault fault) => WriteTextAsync(
        context,
        fault.Error.Status switch
        {
            StatusCodes.Status401Unauthorized => StatusCodes.Status403Forbidden,
            StatusCodes.Status422UnprocessableEntity => StatusCodes.Status400BadRequest,
            var status => status,
        },
        fault.Error.Status switch
        {
            StatusCodes.Status401Unauthorized when KeyOf(context.Request) is not null => "ACL not found",
            StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden => $"Permission denied: {fault.Detail}",
            _ => fault.Detail,
        });

    public static async Task WriteTextAsync(HttpContext context, int status, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = bytes.Length;
        response.Headers.CacheControl = "no-store";
        if (status == StatusCodes.Status503ServiceUnavailable) response.Headers.RetryAfter = "5";
        await response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}

using System.Collections.Frozen;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway;

/// <summary>What a route's changes of requests and answers must be.</summary>
internal static class TransformRules
{
    /// <summary>Fields or parameters of one list.</summary>
    public const int MaxFields = 32;

    /// <summary>Characters of a value, before what is captured stands in it.</summary>
    public const int MaxValueLength = 1_024;

    /// <summary>Characters of an answer that stands in a route, which all nodes hold in memory.</summary>
    public const int MaxBodyLength = 16 * 1024;

    // What says how a message is read, on which connection, and for whom we vouch: ours, both ways.
    private static readonly FrozenSet<string> Ours = FrozenSet.ToFrozenSet(
        [
            "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
            "proxy-authentication-info", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings",
            "content-length", "expect", "host", "via", "forwarded", "x-forwarded-for", "x-forwarded-proto",
            "x-forwarded-host", "x-forwarded-prefix", "traceparent", "tracestate", "groundwork-revision",
            "groundwork-user", "groundwork-key", "groundwork-tenant", "groundwork-identity",
        ],
        StringComparer.OrdinalIgnoreCase);

    /// <param name="path">The route's, when nothing is wrong with it: names are looked up in it.</param>
    public static void Check(RouteSpec spec, PathPattern? path, ICollection<FieldFault> faults)
    {
        CheckPath(spec, path, faults);
        CheckQuery(spec.Request?.Query, path, faults);
        if (spec.Request?.Host is { } host && host != "{host}" && !IsAuthority(host))
            faults.Add(
                new FieldFault("spec.request.host", "must be {host}, or a host in lower case, with a port or not"));
        CheckFields("spec.request.headers", spec.Request?.Headers, path, faults);
        CheckFields("spec.response.headers", spec.Response?.Headers, path, faults);
        CheckRedirect(spec.Redirect, path, faults);
        CheckAnswer(spec.Respond, faults);
    }

    private static void CheckPath(RouteSpec spec, PathPattern? pattern, ICollection<FieldFault> faults)
    {
        const string at = "spec.request.path";
        if (spec.Request?.Path is not { } path) return;
        if (path.StripPrefix is { } strip && pattern?.BeginsWith(strip) == false)
            faults.Add(new FieldFault(
                $"{at}.stripPrefix", "must be whole leading segments of the path, such as /api of /api/catalog/**"));
        if (path.AddPrefix is { } add && (!IsPath(add) || add.EndsWith('/')))
            faults.Add(new FieldFault($"{at}.addPrefix", "must be a path that does not end in /, such as /v2"));
        if (path.Template is not { } template) return;
        if (path.StripPrefix is not null || path.AddPrefix is not null)
            faults.Add(new FieldFault($"{at}.template", "is the whole path; without stripPrefix and addPrefix"));
        if (!template.StartsWith('/') || template.Length > MaxValueLength || template.AsSpan().ContainsAny('?', '#'))
            faults.Add(new FieldFault($"{at}.template", "must be a path, such as /v2/orders/{id}"));
        else CheckText($"{at}.template", template, pattern, faults);
    }

    private static void CheckQuery(QueryChange? query, PathPattern? path, ICollection<FieldFault> faults)
    {
        const string at = "spec.request.query";
        if (query is null) return;
        CheckMap($"{at}.set", query.Set, path, static _ => true, faults);
        CheckMap($"{at}.add", query.Add, path, static _ => true, faults);
        CheckList($"{at}.remove", query.Remove, static _ => true, faults);
    }

    private static void CheckFields(string at, FieldChange? change, PathPattern? path, ICollection<FieldFault> faults)
    {
        if (change is null) return;
        CheckMap($"{at}.set", change.Set, path, IsOpen, faults);
        CheckMap($"{at}.add", change.Add, path, IsOpen, faults);
        CheckList($"{at}.remove", change.Remove, IsOpen, faults);
        CheckMap($"{at}.rename", change.Rename, null, IsOpen, faults);
        foreach (var (from, to) in change.Rename ?? new Dictionary<string, string>(StringComparer.Ordinal))
            if (!IsOpen(to)) faults.Add(new FieldFault($"{at}.rename.{from}", Closed(to)));
    }

    private static void CheckRedirect(RedirectSpec? redirect, PathPattern? path, ICollection<FieldFault> faults)
    {
        if (redirect is null) return;
        if (redirect.Status is not (301 or 302 or 303 or 307 or 308))
            faults.Add(new FieldFault("spec.redirect.status", "must be 301, 302, 303, 307 or 308"));
        var isAddress = redirect.To.StartsWith("https://", StringComparison.Ordinal)
            || redirect.To.StartsWith("http://", StringComparison.Ordinal)
            // Two slashes would name a host.
            || (redirect.To.StartsWith('/') && !redirect.To.StartsWith("//", StringComparison.Ordinal));
        if (!isAddress) faults.Add(new FieldFault("spec.redirect.to", "must begin with https://, http:// or one /"));
        else CheckText("spec.redirect.to", redirect.To, path, faults);
    }

    private static void CheckAnswer(AnswerSpec? answer, ICollection<FieldFault> faults)
    {
        if (answer is null) return;
        if (answer.Status is < 200 or > 599) faults.Add(new FieldFault("spec.respond.status", "must be 200 to 599"));
        if (answer.Body?.Length > MaxBodyLength)
            faults.Add(new FieldFault("spec.respond.body", $"is longer than {MaxBodyLength} characters"));
        if (!string.IsNullOrEmpty(answer.Body) && answer.Status is 204 or 205 or 304)
            faults.Add(new FieldFault("spec.respond.body", $"an answer with status {answer.Status} has none"));
        if (answer.MediaType.Length is 0 or > 128 || !IsLine(answer.MediaType))
            faults.Add(new FieldFault("spec.respond.mediaType", "must be a media type, such as application/json"));
        CheckMap("spec.respond.headers", answer.Headers, null, IsOpen, faults);
    }

    private static void CheckMap(
        string at, IReadOnlyDictionary<string, string>? map, PathPattern? path, Func<string, bool> isOpen,
        ICollection<FieldFault> faults)
    {
        if (map is null) return;
        if (map.Count is 0 or > MaxFields) faults.Add(new FieldFault(at, $"must have 1 to {MaxFields} entries"));
        foreach (var (name, value) in map)
        {
            CheckName($"{at}.{name}", name, isOpen, faults);
            CheckText($"{at}.{name}", value, path, faults);
        }
    }

    private static void CheckList(
        string at, IReadOnlyList<string>? list, Func<string, bool> isOpen, ICollection<FieldFault> faults)
    {
        if (list is null) return;
        if (list.Count is 0 or > MaxFields) faults.Add(new FieldFault(at, $"must have 1 to {MaxFields} names"));
        for (var index = 0; index < list.Count; index++) CheckName($"{at}[{index}]", list[index], isOpen, faults);
    }

    private static void CheckName(string at, string name, Func<string, bool> isOpen, ICollection<FieldFault> faults)
    {
        if (!MatchRules.IsToken(name))
            faults.Add(new FieldFault(at, $"must be named by a token of 1 to {MatchRules.MaxTextLength} characters"));
        else if (!isOpen(name)) faults.Add(new FieldFault(at, Closed(name)));
    }

    private static void CheckText(string at, string text, PathPattern? path, ICollection<FieldFault> faults)
    {
        if (text.Length > MaxValueLength)
            faults.Add(new FieldFault(at, $"is longer than {MaxValueLength} characters"));
        else if (!IsLine(text)) faults.Add(new FieldFault(at, "must be ASCII without control characters"));
        else if (path is not null && TextTemplate.Explain(text, path) is { } wrong)
            faults.Add(new FieldFault(at, wrong));
    }

    private static bool IsAuthority(string text) =>
        (!text.StartsWith('*') && HostPattern.Explain(text) is null)
        || Upstreams.UpstreamRules.TryReadAddress(text, out _, out _);

    private static string Closed(string name) => MatchRules.IsToken(name)
        ? $"{name} is the gateway's to write"
        : "must be a token";

    /// <summary>True for a header field that others than the gateway may set.</summary>
    public static bool IsOpen(string name) => MatchRules.IsToken(name) && !Ours.Contains(name);

    private static bool IsLine(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static bool IsPath(string text) =>
        text.Length <= MaxValueLength && PathPattern.Normalize(text) == text
        && !text.Contains("//", StringComparison.Ordinal);
}

using System.Globalization;
using System.Net;
using System.Text;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Explaining;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Drafting;

/// <summary>Says where a request would go: by the routes' own search, without sending it.</summary>
internal sealed class RequestTrial(InstanceChooser chooser, InstanceShares shares, int maxHops, TimeProvider time)
{
    private static readonly CompositeFormat Percent = CompositeFormat.Parse("{0:0.##} %");

    /// <summary>Reads a head that somebody has typed, by the one parser there is.</summary>
    public Outcome<RecordedRequest> Read(DryRunHead typed, HeadLimits limits)
    {
        IPAddress? client = null;
        if (typed.Client is { Length: > 0 } text && !IPAddress.TryParse(text, out client))
            return Refuse("request.client", "must be an address");
        var fields = typed.Headers ?? [];
        var lines = fields.Select(field => $"{field.Name}: {field.Value}\r\n");
        // What would end a line or a word is not what was meant.
        if (typed.Method.AsSpan().ContainsAny('\r', '\n', ' ') || typed.Path.AsSpan().ContainsAny('\r', '\n', ' ')
            || typed.Host.AsSpan().ContainsAny('\r', '\n')
            || fields.Any(field => $"{field.Name}{field.Value}".AsSpan().ContainsAny('\r', '\n')))
            return Refuse("request", "has a blank or an end of a line where none may be");
        var bytes = Encoding.UTF8.GetBytes(
            $"{typed.Method} {typed.Path} HTTP/1.1\r\nHost: {typed.Host}\r\n{string.Concat(lines)}\r\n");
        var head = new RequestHead(limits);
        head.Append(bytes);
        var progress = head.Parse();
        var fault = head.Fault;
        var read = new RecordedRequest
        {
            Id = "", TraceId = "", CallerId = "", IsSampled = false, At = time.GetUtcNow(), Micros = 0, Status = 0,
            Code = null, BytesIn = 0, BytesOut = 0, Attempts = 0, Client = client ?? IPAddress.Loopback, Route = null,
            Table = null, Revision = 0, Instance = null, Transformed = null, Head = bytes,
            Method = Encoding.ASCII.GetString(head.MethodName), Host = Encoding.ASCII.GetString(head.Host),
            Path = Encoding.ASCII.GetString(head.Path), Decisions = [],
        };
        head.Release();
        return progress == HeadProgress.Complete ? read : Refuse("request", HeadFaults.Explain(fault));
    }

    /// <summary>What would become of a request.</summary>
    /// <param name="secure">True for one over the listener of HTTPS.</param>
    /// <param name="mayRead">What the asker may not read is not told.</param>
    /// <param name="mayCall">The same for the instances of a target.</param>
    public DryRunRouting Try(
        RecordedRequest request, RequestHead head, GatewayDraft draft, bool secure, Func<ResourceKey, bool> mayRead,
        Func<Delivery.Target, bool> mayCall)
    {
        if (!secure && draft.Listener("http") is { RedirectToHttps: true })
            return new DryRunRouting(
                "The listener sends it to the same address over HTTPS.", [], [], [], Answer: "redirect");
        var view = RouteVerdicts.ViewOf(request, head);
        var refusal = GatewayRequests.Unroutable(head, maxHops);
        var match = refusal is null ? draft.Table.Match(view) : default;
        refusal ??= match.Refusal();
        var tried = request with
        {
            Table = draft.Table,
            Route = match.Route,
            Transformed = match.Route?.Transform?.Apply(view, match.Parameters),
        };
        var verdicts = RouteVerdicts.Of(tried, head, mayRead);
        if (match.Route is not { } route)
            return new DryRunRouting(refusal?.Detail ?? "", verdicts, [], [], Code: refusal?.Error.Code);
        if (!mayRead(route.Key))
            return new DryRunRouting("It goes by a route that you may not read.", verdicts, [], []);
        var answer = AnswerOf(route, draft);
        var targets = route.Deliveries is null
            ? []
            : route.Deliveries.Shares(view, match.Parameters)
                .Select(pair => ToDocument(pair.Target, pair.Share, Decide(pair.Target, route, draft, request, head),
                    draft, mayCall)).ToList();
        var way = answer is null
            ? string.Join(", ", targets.Select(target => Name(target.Target, target.Percent)))
            : $"an answer of the gateway ({answer})";
        return new DryRunRouting(
            $"It goes by the route {route.Name} to {way}.", verdicts, RequestExplainer.ChangesOf(tried, head), targets,
            route.Name, Answer: answer);
    }

    /// <summary>Where a request goes, in few words.</summary>
    public static ReplayPlace PlaceOf(
        RecordedRequest request, RequestHead head, GatewayDraft draft, int maxHops, Func<ResourceKey, bool> mayRead,
        GatewayDraft? after = null)
    {
        if (GatewayRequests.Unroutable(head, maxHops) is { } never) return new ReplayPlace(never.Error.Code);
        var view = RouteVerdicts.ViewOf(request, head);
        var match = draft.Table.Match(view);
        if (match.Route is not { } route) return new ReplayPlace(match.Refusal()?.Error.Code ?? "");
        var targets = route.Deliveries?.Shares(view, match.Parameters).Select(pair =>
            Name(pair.Target.Name, 100 * pair.Share)
            // The same name and another upstream.
            + (pair.Target.Upstream is { } name && after?.Changes(name) == true ? " (as drafted)" : ""));
        return new ReplayPlace(
            targets is null ? AnswerOf(route, draft) ?? "" : string.Join(", ", targets),
            mayRead(route.Key) ? route.Name : null);
    }

    private static string? AnswerOf(Route route, GatewayDraft draft) => draft.SpecOf(route) switch
    {
        { Redirect: { } redirect } => $"redirect {redirect.Status}",
        { Respond: { } respond } => $"{respond.Status}",
        { Files: not null } => "files",
        { Compose: not null } => "compose",
        _ => null,
    };

    private static string Name(string target, double percent) => percent >= 100
        ? target
        : $"{target} {string.Format(CultureInfo.InvariantCulture, Percent, percent)}";

    private static Destination Decide(
        Delivery.Target target, Route route, GatewayDraft draft, RecordedRequest request, RequestHead head)
    {
        if (target.Upstream is not { } name || draft.FindUpstream(name) is not { } upstream)
            return new Destination(target, null, null);
        var view = RouteVerdicts.ViewOf(request, head);
        return new Destination(
            target, upstream.Policy.By?.Of(view, draft.Table.Match(view).Parameters, route.Path),
            upstream.Sticky?.Read(view.Fields, view.Time));
    }

    private TargetShare ToDocument(
        Delivery.Target target, double share, Destination destination, GatewayDraft draft,
        Func<Delivery.Target, bool> mayCall)
    {
        var percent = Math.Round(100 * share, 2);
        if (!mayCall(target)) return new TargetShare(target.Name, percent, []);
        if (!chooser.Foresee(target, draft.FindUpstream).TryGet(out var set, out var none))
            return new TargetShare(target.Name, percent, [], Why: none.Detail);
        var instances = shares.Of(set, target, destination);
        return new TargetShare(
            target.Name, percent, instances, PolicyNames.Of(set.Policy.Choice),
            instances.Count == 0 ? "No instance is of this version or has these metadata." : null);
    }

    private static Fault Refuse(string path, string message) =>
        new(ErrorCodes.BadRequest, "The request is none.") { Fields = [new FieldFault(path, message)] };
}

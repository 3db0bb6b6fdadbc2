using System.Globalization;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Explaining;

/// <summary>
/// Says why a request went where it went. What was decided was noted; why other routes did not take it is found out
/// now, from its head and the routes that were in force then.
/// </summary>
internal static class RequestExplainer
{
    /// <summary>Routes that are told.</summary>
    public const int MaxRoutes = 50;

    /// <summary>Heads are bounded where they are read; this is only to read them again.</summary>
    private static readonly HeadLimits Limits = new(64 * 1024, 64 * 1024, 256);

    /// <param name="mayRead">Routes that the asker may not read are not told.</param>
    /// <param name="siblings">Other requests of its trace.</param>
    public static GatewayRequestExplanation Explain(
        RecordedRequest request, string node, Func<ResourceKey, bool> mayRead, IReadOnlyList<string> siblings)
    {
        var head = new RequestHead(Limits);
        head.Append(request.Head);
        var isKnown = request.Head.Length > 0 && head.Parse() == HeadProgress.Complete;
        var explanation = new GatewayRequestExplanation(
            node, Summarize(request), SummaryOf(request), request.IsSampled, request.BytesIn, request.BytesOut,
            request.Revision,
            isKnown ? RequestFields.Of(head) : [], isKnown ? RequestFields.ParametersOf(head) : [],
            isKnown ? RouteVerdicts.Of(request, head, mayRead) : [], isKnown ? ChangesOf(request, head) : [],
            [.. request.Decisions.Select(ToDocument)], siblings,
            request.CallerId.Length == 0 ? null : request.CallerId, request.Client?.ToString());
        head.Release();
        return explanation;
    }

    public static GatewayRequestSummary Summarize(RecordedRequest request) => new(
        request.Id, request.TraceId, request.At, request.Method, request.Host, request.Path, request.Status,
        request.Micros / 1000.0, request.Attempts, request.Code, request.Route?.Name, request.Instance);

    private static string SummaryOf(RecordedRequest request)
    {
        var way = request.Route is { } route ? $"went by the route {route.Name}" : "found no route";
        if (request.Instance is { } instance)
            way += request.Attempts > 1
                ? $", in {request.Attempts} attempts and last to {instance},"
                : $" to {instance}";
        var millis = (request.Micros / 1000.0).ToString("0.###", CultureInfo.InvariantCulture);
        var end = request.Status == Exchange.ClientGoneStatus
            ? $"its client had gone after {millis} ms"
            : $"was answered {request.Status}{(request.Code is { } code ? $" ({code})" : "")} after {millis} ms";
        return $"{request.Method} {request.Host}{request.Path} {way}, and {end}.";
    }

    /// <summary>What a route changes of a request, in words.</summary>
    public static List<string> ChangesOf(RecordedRequest request, RequestHead head)
    {
        var changes = new List<string>();
        if (request.Transformed?.Path is { } path) changes.Add($"path: {Encoding.ASCII.GetString(path)}");
        else if (request.Route?.StrippedPrefix is { } prefix) changes.Add($"path: without {prefix}");
        if (request.Transformed is not { } transformed) return changes;
        if (transformed.Query is not null) changes.Add("query: changed");
        foreach (ref readonly var field in head.Fields.Fields)
            if (head.Fields.NameOf(field) is var name && transformed.RemovesFromRequest(name))
                changes.Add($"request: {Encoding.ASCII.GetString(name)} is taken out");
        changes.AddRange(transformed.RequestFields.Select(
            field => $"request: {Encoding.ASCII.GetString(field.Name)} is written"));
        changes.AddRange(transformed.AnswerFields.Select(
            field => $"answer: {Encoding.ASCII.GetString(field.Name)} is written"));
        return changes;
    }

    private static GatewayDecision ToDocument(Decision decision) => new(
        JsonNamingPolicy.KebabCaseLower.ConvertName(decision.Stage.ToString()),
        decision.What,
        TimeSpan.FromSeconds((double)decision.At / TimeProvider.System.TimestampFrequency).TotalMilliseconds,
        DecisionSubjects.TextOf(decision.About));
}

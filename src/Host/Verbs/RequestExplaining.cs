using System.CommandLine;
using System.Globalization;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>explain request</c>: why a request of the gateway went where it went; or which there were.</summary>
internal static class RequestExplaining
{
    private static readonly Argument<string?> Id = new("id")
    {
        Description = "Groundwork-Request-Id of the answer, or the trace id; the last requests when left out",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> Route = new("--route") { Description = "Only of this route: namespace/name" };
    private static readonly Option<bool> Failed = new("--failed") { Description = "Only those that failed" };
    private static readonly Option<bool> Slow = new("--slow") { Description = "Only those that took a second or more" };

    public static Command Create() =>
        new Verb("request", "Say why a request of the gateway went where it went, or list the last ones.",
            "explain request 00f067aa0ba902b7", RunAsync)
        {
            Id, Route, Failed, Slow,
        };

    private static async Task<int> RunAsync(Call call)
    {
        using var connection = call.Connect();
        if (call.Get(Id) is { Length: > 0 } id) await ExplainAsync(call, connection, id);
        else await ListAsync(call, connection);
        return ExitCodes.Ok;
    }

    private static async Task ListAsync(Call call, ApiConnection connection)
    {
        var query = (call.Get(Failed) ? "&failed=true" : "") + (call.Get(Slow) ? "&slow=true" : "")
            + (call.Get(Route) is { } route ? $"&route={Uri.EscapeDataString(route)}" : "");
        var answer = await connection.GetAsync($"gateway/requests?limit=50{query}", call.Cancellation);
        var list = answer.Read(WireJson.Lenient.GatewayRequestList);
        if (!call.Answer.IsTable)
        {
            call.Answer.Print(answer.Document, "");
            return;
        }
        list.Requests.Aggregate(
            new Table("ID", "AT", "STATUS", "CODE", "MS", "ROUTE", "REQUEST")
            {
                Empty = $"the node {list.Node} remembers no such request",
            },
            (table, one) => table.Add(
                one.Id, ReadVerbs.Text(one.At), ReadVerbs.Text(one.Status), one.Code, Millis(one.Ms), one.Route,
                $"{one.Method} {one.Host}{one.Path}")).Print(call.Terminal.Out);
    }

    private static async Task ExplainAsync(Call call, ApiConnection connection, string id)
    {
        var answer = await connection.GetAsync($"gateway/requests/{Uri.EscapeDataString(id)}", call.Cancellation);
        var explanation = answer.Read(WireJson.Lenient.GatewayRequestExplanation);
        call.Answer.Print(answer.Document, string.Join('\n', Lines(call.Terminal, explanation)));
        if (!call.Answer.IsTable) return;
        if (explanation.Decisions.Count > 0)
        {
            call.Terminal.Out.WriteLine();
            explanation.Decisions.Aggregate(
                new Table("MS", "STAGE", "DECISION", "ABOUT"),
                (table, one) => table.Add(Millis(one.AtMs), one.Stage, one.What, one.About)).Print(call.Terminal.Out);
        }
        if (explanation.Routes.Count == 0) return;
        call.Terminal.Out.WriteLine();
        explanation.Routes.Aggregate(
            new Table("ROUTE", "VERDICT", "WHY"),
            (table, one) => table.Add($"{one.Namespace}/{one.Name}", one.Verdict, one.Text)).Print(call.Terminal.Out);
    }

    private static IEnumerable<string> Lines(Terminal terminal, GatewayRequestExplanation explanation)
    {
        yield return terminal.Bold(explanation.Summary);
        yield return $"  - trace {explanation.Request.TraceId}, at {ReadVerbs.Text(explanation.Request.At)} on the node "
            + $"{explanation.Node}, revision {explanation.Revision}";
        if (explanation.Client is { } client)
            yield return $"  - from {client}, {explanation.BytesIn} bytes in and {explanation.BytesOut} out";
        foreach (var change in explanation.Changes) yield return $"  - {change}";
        if (explanation.Siblings.Count > 0)
            yield return $"  - others of the same trace: {string.Join(", ", explanation.Siblings)}";
    }

    private static string Millis(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}

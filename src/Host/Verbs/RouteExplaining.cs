using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;

namespace Groundwork.Host.Verbs;

/// <summary><c>explain route</c>: what a route takes, and which others want the same requests.</summary>
internal static class RouteExplaining
{
    private const string Kind = "route";

    public static Command Create() =>
        new Verb("route", "Say what a route takes, and which others want the same requests.",
            "explain route catalog", ExplainAsync)
        {
            ResourceName.NameArgument, SharedOptions.Namespace,
        };

    private static async Task<int> ExplainAsync(Call call)
    {
        using var connection = call.Connect();
        var name = await ResourceName.FromAsync(call, connection, Kind, call.Required(ResourceName.NameArgument));
        var answer = await connection.GetAsync(
            $"gateway/routes/{Uri.EscapeDataString(name.Namespace)}/"
            + string.Join('/', name.Name.Split('/').Select(Uri.EscapeDataString)),
            call.Cancellation);
        var explanation = answer.Read(WireJson.Lenient.RouteExplanation);
        call.Answer.Print(answer.Document, string.Join('\n',
            [
                call.Terminal.Bold(explanation.Summary),
                $"  - takes {explanation.Takes}",
                .. explanation.Targets.Select(target => $"  - to {target}"),
            ]));
        if (!call.Answer.IsTable || explanation.Overlaps.Count == 0) return ExitCodes.Ok;
        call.Terminal.Out.WriteLine();
        explanation.Overlaps.Aggregate(
            new Table("ROUTE", "TAKES", "AND"),
            (table, other) => table.Add($"{other.Namespace}/{other.Name}", other.Takes, other.Text))
            .Print(call.Terminal.Out);
        return ExitCodes.Ok;
    }
}

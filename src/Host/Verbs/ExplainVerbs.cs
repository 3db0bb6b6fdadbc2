using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>explain instance</c>, <c>explain route</c>, <c>explain request</c> and <c>explain kind</c>.</summary>
internal static class ExplainVerbs
{
    public static Command Create() =>
        new Verb(
            "explain", "Say why something is as it is, or what a kind is made of.", "explain instance shop/catalog/1",
            run: null)
        {
            new Verb("instance", "Say why an instance is, or is not, called, and what to do next.",
                "explain instance shop/catalog/1", ExplainAsync)
            {
                RegistryName.InstanceArgument,
            },
            RouteExplaining.Create(),
            RequestExplaining.Create(),
            KindExplanation.Create(),
        };

    private static async Task<int> ExplainAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.GetAsync(
            RegistryName.Path(RegistryName.Instance(call), "/explanation"), call.Cancellation);
        var explanation = answer.Read(WireJson.Lenient.ExplanationDocument);
        call.Answer.Print(answer.Document, string.Join('\n', Lines(call.Terminal, explanation)));
        if (call.Answer.IsTable && explanation.Events.Count > 0)
        {
            call.Terminal.Out.WriteLine();
            Events(explanation).Print(call.Terminal.Out);
        }
        return ExitCodes.Ok;
    }

    private static IEnumerable<string> Lines(Terminal terminal, ExplanationDocument explanation)
    {
        yield return terminal.Bold(explanation.Summary);
        foreach (var reason in explanation.Reasons)
        {
            var since = reason.Since is null ? "" : $" Since {ReadVerbs.Text(reason.Since)}.";
            var by = reason.By is null ? "" : $" By {reason.By}.";
            yield return $"  - {reason.Text}{since}{by}";
        }
        if (explanation.Next.Count == 0) yield break;
        yield return "Next:";
        foreach (var (at, step) in explanation.Next.Index()) yield return $"  {at + 1}. {step}";
    }

    private static Table Events(ExplanationDocument explanation) => explanation.Events.Aggregate(
        new Table("AT", "EVENT", "BY", "NODE", "REASON"),
        (table, happened) => table.Add(
            ReadVerbs.Text(happened.At), happened.Event, happened.Principal, happened.Node, happened.Reason));
}

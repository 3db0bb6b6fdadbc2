using System.Collections.Immutable;
using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;

namespace Groundwork.Host.Verbs;

/// <summary><c>approve</c> and <c>refuse</c>: the second person's word on a proposal.</summary>
internal static class ApprovalVerbs
{
    private static readonly Argument<string?> Proposal = new("proposal")
    {
        Description = "Name of the proposal; without one, the open ones are listed", Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Argument<string> Refused = new("proposal") { Description = "Name of the proposal" };

    public static ImmutableArray<Command> All() =>
    [
        new Verb(
            "approve", "Approve a proposal of somebody else, so that it takes effect.", "approve p-0042", ApproveAsync)
        {
            Proposal, SharedOptions.Reason,
        },
        new Verb("refuse", "Refuse a proposal.", "refuse p-0042 --reason 'not on a Friday'", RefuseAsync)
        {
            Refused, SharedOptions.Reason,
        },
    ];

    private static async Task<int> ApproveAsync(Call call)
    {
        using var connection = call.Connect();
        if (call.Get(Proposal) is not { } name) return await ListAsync(call, connection);
        var request = ApiRequest.Post(
            $"proposals/{ApiPaths.Name(name)}/approve") with { Reason = call.Get(SharedOptions.Reason) };
        var answer = await connection.SendAsync(request, call.Cancellation);
        ChangeVerbs.Print(call, answer.Read(WireJson.Lenient.ChangesetAnswer), dryRun: false);
        return ExitCodes.Ok;
    }

    private static async Task<int> RefuseAsync(Call call)
    {
        using var connection = call.Connect();
        var name = call.Required(Refused);
        var request = ApiRequest.Post(
            $"proposals/{ApiPaths.Name(name)}/refuse") with { Reason = call.Get(SharedOptions.Reason) };
        var answer = await connection.SendAsync(request, call.Cancellation);
        call.Answer.Print(answer.Document, $"proposal {name} refused");
        return ExitCodes.Ok;
    }

    private static async Task<int> ListAsync(Call call, ApiConnection connection)
    {
        var answer = await connection.GetAsync(ApiPaths.With("proposals", ("state", "proposed")), call.Cancellation);
        var proposals = answer.Read(WireJson.Lenient.IReadOnlyListProposalDocument);
        call.Answer.Print(answer.Document, () => proposals.Aggregate(
            new Table("PROPOSAL", "AT", "BY", "CHANGES", "REASON") { Empty = "no proposal is open" },
            (table, proposal) => table.Add(
                proposal.Name, ReadVerbs.Text(proposal.ProposedAt), proposal.Author,
                ReadVerbs.Text(proposal.Changes.Count), proposal.Reason)));
        return ExitCodes.Ok;
    }
}

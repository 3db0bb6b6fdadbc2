using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Resources;

/// <summary>The API of proposals: <c>/groundwork/v1/proposals</c>.</summary>
internal sealed class ApprovalsApi(ChangeLog changes)
{
    /// <summary>Proposals in one answer; open ones come first.</summary>
    private const int MaxListed = 500;

    private readonly ResourceDocuments documents = new(changes.Kinds, changes.Secrets);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot + "/proposals").WithTags("Approval");
        api.MapGet("", List)
            .RequiresPrincipal("lists what the principal may read")
            .Describe<IReadOnlyList<ProposalDocument>>(
                "listProposals", "Changesets that wait, or waited, for a second person.");
        api.MapGet("/{name}", Get)
            .Requires(Verb.Read, Key)
            .Describe<ProposalDocument>("getProposal", "One proposal with its changes, secrets masked.");
        api.MapPost("/{name}/approve", Approve)
            .RequiresPrincipal("needs the verb approve on every resource the proposal changes")
            .Describe<ChangesetAnswer>("approveProposal", "Releases a proposal; its author cannot.").ReadsReason();
        api.MapPost("/{name}/refuse", Refuse)
            .RequiresPrincipal("needs the verb approve on every resource the proposal changes, or to be its author")
            .Describe<ChangesetAnswer>("refuseProposal", "Closes a proposal without effect.").ReadsReason();
    }

    private static ResourceKey Key(HttpContext context) =>
        new(Approvals.ProposalKindName, "", context.Request.RouteValues["name"] as string ?? "");

    private async Task<IResult> List(HttpContext context, string? state)
    {
        if (state is not null && !Approvals.States.Contains(state))
        {
            return Problems.From(new Fault(
                ErrorCodes.BadRequest,
                $"'state' is one of {string.Join(", ", Approvals.States)}, not '{state}'."));
        }
        var found = new List<ProposalDocument>();
        foreach (var resource in Approvals.Find(changes.Snapshots.Current, state))
        {
            if (found.Count == MaxListed) break;
            if (!changes.Authorizer.Allows(context.Principal(), Verb.Read, resource.Key)) continue;
            var read = await changes.Approvals.ReadAsync(resource.Key.Name, context.RequestAborted);
            if (!read.TryGet(out var proposal, out var fault)) return Problems.From(fault);
            if (state is null || proposal.Spec.State == state)
                found.Add(ToDocument(resource.Key.Name, proposal.Spec));
        }
        return Results.Json(found, WireJson.Strict.IReadOnlyListProposalDocument);
    }

    private async Task<IResult> Get(HttpContext context, string name)
    {
        var read = await changes.Approvals.ReadAsync(name, context.RequestAborted);
        return read.TryGet(out var proposal, out var fault)
            ? Results.Json(ToDocument(name, proposal.Spec), WireJson.Strict.ProposalDocument)
            : Problems.From(fault);
    }

    private ProposalDocument ToDocument(string name, ProposalSpec spec) =>
        documents.ToDocument(name, spec, Approvals.Outdated(changes.Snapshots.Current, spec));

    private async Task<IResult> Approve(HttpContext context, string name)
    {
        var outcome = await changes.Approvals.ApproveAsync(
            context.Principal(), name, ApiRequests.Reason(context.Request), context.RequestAborted);
        return outcome.TryGet(out var commit, out var fault)
            ? CommitResults.Answer(context, commit)
            : Problems.From(fault);
    }

    private async Task<IResult> Refuse(HttpContext context, string name)
    {
        var outcome = await changes.Approvals.RefuseAsync(
            context.Principal(), name, ApiRequests.Reason(context.Request), context.RequestAborted);
        return outcome.TryGet(out var commit, out var fault)
            ? CommitResults.Answer(context, commit)
            : Problems.From(fault);
    }
}

using System.Text.Json;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Resources;

/// <summary>Answers writes over HTTP, for every API that commits a changeset.</summary>
public static class CommitResults
{
    /// <summary>
    /// 201 for a created resource, 202 for a proposal, else 200; with the ETag when one resource was written.
    /// </summary>
    public static IResult Answer(HttpContext context, Commit commit)
    {
        if (commit.Effects is [{ Effect: not ChangeEffect.Deleted }] && commit.Proposal is null)
            context.Response.Headers.ETag = $"\"{commit.Revision}\"";
        var status = commit switch
        {
            { Proposal: not null } => StatusCodes.Status202Accepted,
            { Effects: [{ Effect: ChangeEffect.Created }] } => StatusCodes.Status201Created,
            _ => StatusCodes.Status200OK,
        };
        // In one piece with its length: a third of the cost of streaming it.
        return Results.Text(
            JsonSerializer.SerializeToUtf8Bytes(ResourceDocuments.ToAnswer(commit), WireJson.Strict.ChangesetAnswer),
            "application/json; charset=utf-8",
            status);
    }

    /// <summary>Over HTTP a condition that fails has a status of its own (RFC 9110, 13.1.1).</summary>
    public static Fault AsPrecondition(Fault fault) =>
        fault.Error == ErrorCodes.RevisionConflict ? fault with { Error = ErrorCodes.PreconditionFailed } : fault;
}

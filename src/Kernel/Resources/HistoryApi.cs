using System.Collections.Immutable;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Resources;

/// <summary>The API of the past: changesets, history, diff, rollback, revert, compaction.</summary>
internal sealed class HistoryApi(ChangeLog changes)
{
    private const int DefaultLimit = 50;

    private const int MaxLimit = 500;

    private readonly ResourceDocuments documents = new(changes.Kinds, changes.Secrets);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot).WithTags("History");
        var reads = api.MapGroup("").AddEndpointFilter(ApiRequests.AtLeast(changes.Snapshots)).ReadsQuery("atLeast");
        reads.MapGet("/changesets", Changesets)
            .RequiresPrincipal("shows the changes the principal may read")
            .Describe<ChangesetList>("listChangesets", "The timeline over all kinds, newest first.");
        reads.MapGet("/changesets/{revision:long}", Changeset)
            .RequiresPrincipal("shows the changes the principal may read")
            .Describe<ChangesetDocument>("getChangeset", "One changeset.");
        reads.MapGet("/history/{kind}/{namespace}/{**name}", Versions)
            .Requires(Verb.Read, ApiRequests.Key)
            .Describe<HistoryList>("listHistory", "The versions of a resource, newest first.");
        reads.MapGet("/diff/{kind}/{namespace}/{**name}", Diff)
            .Requires(Verb.Read, ApiRequests.Key)
            .Describe<ResourceDiff>("diffResource", "How a resource differs between two revisions.");
        api.MapPost("/rollback/{kind}/{namespace}/{**name}", Rollback)
            .Requires(Verb.Write, ApiRequests.Key)
            .Describe<ChangesetAnswer>("rollbackResource", "Writes a resource's content as of a revision.")
            .ReadsChangesetHeaders();
        api.MapPost("/changesets/{revision:long}/revert", Revert)
            .RequiresPrincipal("every change is authorised by itself")
            .Describe<ChangesetAnswer>("revertChangeset", "Undoes one changeset.").ReadsChangesetHeaders();
        api.MapPost("/compact", Compact)
            .Requires(Verb.Administer, _ => new ResourceKey("changelog", "", "floor"))
            .Describe<CompactionAnswer>("compact", "Drops replaced versions at or below a revision.");
    }

    private async Task<IResult> Changesets(
        HttpContext context, string? kind, string? @namespace, string? name, string? prefix, string? author,
            bool? specs, int? limit, string? page)
    {
        if (!ApiRequests.Limit(limit, DefaultLimit, MaxLimit).TryGet(out var count, out var fault))
            return Problems.From(fault);
        if (!Before(page).TryGet(out var before, out fault)) return Problems.From(fault);
        var ns = @namespace == Names.NodeWide ? "" : @namespace;
        bool Shown(Version version) =>
            (kind is null || version.Key.Kind == kind)
            && (ns is null || version.Key.Namespace == ns)
            && (name is null || version.Key.Name == name)
            && (prefix is null || version.Key.Name.StartsWith(prefix, StringComparison.Ordinal))
            && (author is null || version.Author == author)
            && changes.Authorizer.Allows(context.Principal(), Verb.Read, version.Key);
        var found = new List<ChangesetDocument>();
        while (found.Count < count)
        {
            var batch = await changes.History.ChangesetsAsync(
                before, MaxLimit, specs != false, context.RequestAborted);
            if (!batch.TryGet(out var changesets, out fault)) return Problems.From(fault);
            foreach (var changeset in changesets)
            {
                before = changeset[0].Revision;
                if (found.Count < count && changeset.RemoveAll(version => !Shown(version)) is { Length: > 0 } shown)
                    found.Add(ToDocument(shown, specs != false));
                if (found.Count == count) break;
            }
            if (changesets.Count < MaxLimit) break;
        }
        var next = found.Count == count ? new PageToken(found[^1].Revision, "", "").ToString() : null;
        return Results.Json(
            new ChangesetList(
                changes.Snapshots.Current.Revision, changes.Floor, found, next), WireJson.Strict.ChangesetList);
    }

    private ChangesetDocument ToDocument(ImmutableArray<Version> changeset, bool withSpecs)
    {
        var document = documents.ToDocument(changeset);
        if (withSpecs) return document;
        return document with
        {
            Changes = [.. document.Changes.Select(
                entry => entry with { Resource = entry.Resource with { Spec = null } })],
        };
    }

    private static Outcome<long> Before(string? page)
    {
        if (page is null) return long.MaxValue;
        return PageToken.Parse(page).TryGet(out var token, out var fault) ? token.Revision : fault;
    }

    private async Task<IResult> Changeset(HttpContext context, long revision)
    {
        var found = await changes.History.ChangesetAsync(revision, context.RequestAborted);
        if (!found.TryGet(out var versions, out var fault)) return Problems.From(fault);
        var shown = versions.RemoveAll(
            version => !changes.Authorizer.Allows(context.Principal(), Verb.Read, version.Key));
        return shown.Length > 0
            ? Results.Json(documents.ToDocument(shown), WireJson.Strict.ChangesetDocument)
            : Problems.From(
                new Fault(ErrorCodes.Forbidden, $"No role of yours reads anything of changeset {revision}."));
    }

    private async Task<IResult> Versions(
        HttpContext context, string kind, string @namespace, string name, int? limit, string? page)
    {
        if (!ApiRequests.Limit(limit, DefaultLimit, MaxLimit).TryGet(out var count, out var fault))
            return Problems.From(fault);
        if (!Before(page).TryGet(out var before, out fault)) return Problems.From(fault);
        var found = await changes.History.OfAsync(ApiRequests.Key(context), before, count, context.RequestAborted);
        if (!found.TryGet(out var versions, out fault)) return Problems.From(fault);
        var next = versions.Count == count ? new PageToken(versions[^1].Revision, "", "").ToString() : null;
        return Results.Json(
            new HistoryList(changes.Floor, [.. versions.Select(documents.ToEntry)], next), WireJson.Strict.HistoryList);
    }

    private async Task<IResult> Diff(
        HttpContext context, string kind, string @namespace, string name, long from, long? to)
    {
        var key = ApiRequests.Key(context);
        var head = to ?? changes.Snapshots.Current.Revision;
        if (!(await changes.History.AsOfAsync(key, from, context.RequestAborted)).TryGet(out var before, out var fault))
            return Problems.From(fault);
        if (!(await changes.History.AsOfAsync(key, head, context.RequestAborted)).TryGet(out var after, out fault))
            return Problems.From(fault);
        if (before is null && after is null)
            return Problems.From(
                new Fault(ErrorCodes.ResourceNotFound, $"{key} exists neither at {from} nor at {head}."));
        var lines = SpecDiff.Of(
            before is null ? null : documents.ToDocument(before), after is null ? null : documents.ToDocument(after));
        return Results.Json(
            new ResourceDiff(key.Kind, key.Namespace, key.Name, from, head, lines), WireJson.Strict.ResourceDiff);
    }

    private async Task<IResult> Rollback(
        HttpContext context, string kind, string @namespace, string name, long to, bool? dryRun)
    {
        if (!ApiRequests.ChangesetId(context.Request).TryGet(out var id, out var fault)) return Problems.From(fault);
        var outcome = await changes.Undo.RollbackAsync(
            context.Principal(), ApiRequests.Key(context), to,
            new UndoOptions(ApiRequests.Reason(context.Request), id, dryRun == true), context.RequestAborted);
        return outcome.TryGet(out var commit, out fault) ? CommitResults.Answer(context, commit) : Problems.From(fault);
    }

    private async Task<IResult> Revert(HttpContext context, long revision, bool? dryRun)
    {
        if (!ApiRequests.ChangesetId(context.Request).TryGet(out var id, out var fault)) return Problems.From(fault);
        var outcome = await changes.Undo.RevertAsync(
            context.Principal(), revision,
            new UndoOptions(ApiRequests.Reason(context.Request), id, dryRun == true), context.RequestAborted);
        return outcome.TryGet(out var commit, out fault) ? CommitResults.Answer(context, commit) : Problems.From(fault);
    }

    private async Task<IResult> Compact(HttpContext context, long floor)
    {
        var outcome = await changes.Compaction.RunAsync(floor, context.RequestAborted);
        return outcome.TryGet(out var done, out var fault)
            ? Results.Json(new CompactionAnswer(done.Floor, done.Dropped), WireJson.Strict.CompactionAnswer)
            : Problems.From(fault);
    }
}

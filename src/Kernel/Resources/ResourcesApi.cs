using System.Collections.Concurrent;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The API of resources and changesets: <c>/groundwork/v1/kinds</c>, <c>/resources</c>, <c>/changesets</c>.
/// </summary>
internal sealed class ResourcesApi(ChangeLog changes, AuditLog audit)
{
    /// <summary>Bytes of a changeset's body: all its specs, and what is around them.</summary>
    private const int MaxBodyBytes = ChangesetPreparation.MaxBytes + 1024 * 1024;

    private readonly ResourceDocuments documents = new(changes.Kinds, changes.Secrets);
    // By kind; there are as many as modules declare.
    private readonly ConcurrentDictionary<string, JsonElement> schemas = new(StringComparer.Ordinal);
    private readonly ResourceLists lists = new(changes, new ResourceDocuments(changes.Kinds, changes.Secrets));

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot).WithTags("Resources");
        var reads = api.MapGroup("").AddEndpointFilter(ApiRequests.AtLeast(changes.Snapshots)).ReadsQuery("atLeast");
        reads.MapGet("/kinds", Kinds)
            .RequiresPrincipal("kinds are no secret")
                .Describe<IReadOnlyList<KindDocument>>("listKinds", "The kinds of the loaded modules.");
        reads.MapGet("/kinds/{kind}", Kind)
            .RequiresPrincipal("kinds are no secret")
                .Describe<KindDocument>("getKind", "One kind, with the JSON Schema of its spec.");
        reads.MapGet("/resources/{kind}", List)
            .RequiresPrincipal("lists what the principal may read")
            .Describe<ResourceList>("listResources", "A page of a kind's resources, in order of namespace and name.");
        reads.MapGet("/resources/{kind}/{namespace}/{**name}", Get)
            .Requires(Verb.Read, ApiRequests.Key)
            .Describe<ResourceDocument>("getResource", "One resource, now or as of a revision.");
        api.MapPut("/resources/{kind}/{namespace}/{**name}", Put)
            .Requires(Verb.Write, ApiRequests.Key)
            .Describe<ChangesetAnswer>("putResource", "Creates or replaces a resource.").MayCreate().MayPropose()
                .ReadsChangeHeaders()
            .Accepts<ResourceBody>("application/json");
        api.MapDelete("/resources/{kind}/{namespace}/{**name}", Delete)
            .Requires(Verb.Delete, ApiRequests.Key)
            .Describe<ChangesetAnswer>("deleteResource", "Deletes a resource.").MayPropose().ReadsChangeHeaders();
        api.MapPost("/changesets", (Delegate)Commit) // The cast keeps it from being taken for a RequestDelegate.
            .RequiresPrincipal("every change is authorised by itself")
            .LimitsBody(MaxBodyBytes)
            .Describe<ChangesetAnswer>("commitChangeset", "Commits changes that take effect together or not at all.")
            .MayPropose()
            .ReadsChangesetHeaders()
            .Accepts<ChangesetRequest>("application/json");
        api.MapGet("/export", Export)
            .RequiresPrincipal("exports what the principal may read")
            .Describe<ResourceDocument>(
                "exportResources", "Everything at one revision, a document a line, secrets masked.",
                "application/x-ndjson");
    }

    private IResult Kinds() => Results.Json(
        (IReadOnlyList<KindDocument>)[.. changes.Kinds.All.Select(documents.ToDocument)],
        WireJson.Strict.IReadOnlyListKindDocument);

    private IResult Kind(string kind)
    {
        if (changes.Kinds.Find(kind) is not { } found)
            return Problems.From(new Fault(ErrorCodes.KindUnknown, $"There is no kind '{kind}' here."));
        var schema = schemas.GetOrAdd(kind, _ => KindSchema.Of(found));
        return Results.Json(documents.ToDocument(found) with { Schema = schema }, WireJson.Strict.KindDocument);
    }

    private async Task<IResult> List(
        HttpContext context, string kind, string? @namespace, string? prefix, string[]? label, int? limit, string? page,
            long? asOf)
    {
        if (ApiRequests.CheckKind(changes, kind) is { } unknown) return Problems.From(unknown);
        if (ApiRequests.CheckNamespace(@namespace) is { } malformed) return Problems.From(malformed);
        if (!ApiRequests.Limit(limit, ResourceLists.DefaultLimit, ResourceLists.MaxLimit)
            .TryGet(out var count, out var fault))
            return Problems.From(fault);
        if (!ApiRequests.LabelSelector(label).TryGet(out var labels, out fault)) return Problems.From(fault);
        if (asOf is { } revision && changes.History.CheckRevision(revision) is { } gone) return Problems.From(gone);
        var filter = new ListFilter(kind, @namespace == Names.NodeWide ? "" : @namespace, prefix ?? "", labels);
        var found = await lists.ListAsync(context.Principal(), filter, count, page, asOf, context.RequestAborted);
        return found.TryGet(out var list, out fault)
            ? Results.Json(list, WireJson.Strict.ResourceList)
            : Problems.From(fault);
    }

    private async Task<IResult> Get(
        HttpContext context, string kind, string @namespace, string name, long? asOf, bool? reveal)
    {
        var key = ApiRequests.Key(context);
        if (reveal == true && changes.Authorizer.Authorize(context.Principal(), Verb.ReadSecret, key) is { } refused)
            return Problems.From(refused);
        var found = await FindAsync(key, asOf, context.RequestAborted);
        if (!found.TryGet(out var resource, out var fault)) return Problems.From(fault);
        if (reveal == true && resource.Kind?.HasSecrets == true)
            audit.Append(new AuditEvent(context.Principal().Name, "secret-read", key.ToString(), "ok",
                RequestAddress.Of(context)));
        context.Response.Headers.ETag = $"\"{resource.Revision}\"";
        return Results.Json(documents.ToDocument(resource, reveal == true), WireJson.Strict.ResourceDocument);
    }

    private async ValueTask<Outcome<Resource>> FindAsync(
        ResourceKey key, long? asOf, CancellationToken cancellationToken)
    {
        if (asOf is { } revision)
        {
            var then = await changes.History.AsOfAsync(key, revision, cancellationToken);
            if (!then.TryGet(out var version, out var fault)) return fault;
            return version is not null
                ? version
                : new Fault(ErrorCodes.ResourceNotFound, $"There was no {key} at revision {revision}.");
        }
        if (changes.Snapshots.Current.Find(key) is { } resource)
            return await changes.ReadStoredAsync(resource, cancellationToken);
        return ApiRequests.CheckKind(changes, key.Kind)
            ?? new Fault(ErrorCodes.ResourceNotFound, $"There is no {key}.");
    }

    private async Task<IResult> Put(HttpContext context, string kind, string @namespace, string name, bool? dryRun)
    {
        var body = await RequestBody.ReadAsync(context.Request, ResourceBodyJson.Strict.ResourceBody);
        if (!body.TryGet(out var document, out var fault)) return Problems.From(fault);
        var change = documents.ToChange(new ChangeDocument("put", new ResourceDocument(
            kind, name, @namespace, document.Version, document.Labels, document.Spec)));
        return change.TryGet(out var wanted, out fault)
            ? await CommitOneAsync(context, wanted with { Key = ApiRequests.Key(context) }, dryRun == true)
            : Problems.From(fault);
    }

    private Task<IResult> Delete(HttpContext context, string kind, string @namespace, string name, bool? dryRun) =>
        CommitOneAsync(context, Change.Delete(ApiRequests.Key(context)), dryRun == true);

    private async Task<IResult> CommitOneAsync(HttpContext context, Change change, bool dryRun)
    {
        if (!ApiRequests.Condition(context.Request).TryGet(out var expect, out var fault)) return Problems.From(fault);
        if (!ApiRequests.ChangesetId(context.Request).TryGet(out var id, out fault)) return Problems.From(fault);
        var outcome = await changes.CommitAsync(
            new Changeset(context.Principal(), [change with { Expect = expect }])
            {
                Reason = ApiRequests.Reason(context.Request),
                Id = id,
                DryRun = dryRun,
            },
            context.RequestAborted);
        return outcome.TryGet(out var commit, out fault)
            ? CommitResults.Answer(context, commit)
            : Problems.From(CommitResults.AsPrecondition(fault));
    }

    private async Task<IResult> Commit(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context.Request, WireJson.Strict.ChangesetRequest);
        if (!body.TryGet(out var request, out var fault)) return Problems.From(fault);
        if (!ApiRequests.ChangesetId(context.Request).TryGet(out var id, out fault)) return Problems.From(fault);
        var wanted = new List<Change>(request.Changes.Count);
        foreach (var document in request.Changes)
        {
            // The reader holds to what may be null everywhere but inside lists.
            if (document is null)
            {
                return Problems.From(new Fault(
                    ErrorCodes.BadRequest, $"The body must not be null, at changes[{wanted.Count}].")
                {
                    Fields = [new FieldFault($"changes[{wanted.Count}]", "must not be null")],
                });
            }
            if (!documents.ToChange(document).TryGet(out var change, out fault)) return Problems.From(fault);
            wanted.Add(change with { Expect = document.Expect });
        }
        var outcome = await changes.CommitAsync(
            new Changeset(context.Principal(), [.. wanted])
            {
                Reason = request.Reason ?? ApiRequests.Reason(context.Request),
                Id = request.Id ?? id,
                DryRun = request.DryRun,
            },
            context.RequestAborted);
        return outcome.TryGet(out var commit, out fault) ? CommitResults.Answer(context, commit) : Problems.From(fault);
    }

    private IResult Export(HttpContext context, string? kind, string? @namespace)
    {
        var principal = context.Principal();
        var snapshot = changes.Snapshots.Current;
        if (ApiRequests.CheckKind(changes, kind) is { } unknown) return Problems.From(unknown);
        if (ApiRequests.CheckNamespace(@namespace) is { } malformed) return Problems.From(malformed);
        return Results.Stream(
            async stream =>
            {
                foreach (var one in snapshot.Kinds.Order(StringComparer.Ordinal))
                {
                    if (kind is not null && one != kind || one == Approvals.ProposalKindName) continue;
                    foreach (var resource in snapshot.Of(one).Values)
                    {
                        if (@namespace is not null && resource.Key.Namespace != @namespace) continue;
                        if (!changes.Authorizer.Allows(principal, Verb.Read, resource.Key)) continue;
                        var whole = await changes.ReadStoredAsync(resource, context.RequestAborted);
                        if (!whole.TryGet(out var found, out var fault))
                            throw new StorageException(fault);
                        await JsonSerializer.SerializeAsync(stream, documents.ToDocument(
                            found), WireJson.Strict.ResourceDocument, context.RequestAborted);
                        await stream.WriteAsync("\n"u8.ToArray(), context.RequestAborted);
                    }
                }
            },
            "application/x-ndjson");
    }
}

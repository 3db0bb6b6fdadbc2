using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Formats;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Settings;

/// <summary>
/// Settings as services and shells read them: <c>/groundwork/v1/settings</c>. They are also resources of kind
/// <c>setting</c>.
/// </summary>
internal sealed class SettingsApi(ChangeLog changes, SettingReader reader, SettingsWatch watch)
{
    private const string Root = Listeners.ApiRoot + "/settings";

    /// <summary>
    /// Times that a publication without condition is tried when others write the same setting at that moment.
    /// </summary>
    private const int MaxAttempts = 5;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Root).WithTags("Settings");
        var reads = api.MapGroup("").AddEndpointFilter(ApiRequests.AtLeast(changes.Snapshots));
        reads.MapGet("/{namespace}", Snapshot)
            .RequiresPrincipal("gives what the principal may read; secrets it may not read are named, not given")
            .Describe<SettingSnapshot>("getSettings", "The settings of some groups, at one revision.");
        reads.MapGet("/{namespace}/{group}/{**dataId}", Content)
            .Requires(Verb.Read, Key)
            .Describe<string>("getSettingContent", "The text of one setting.");
        api.MapPut("/{namespace}/{group}/{**dataId}", Publish)
            .Requires(Verb.Write, Key)
            .LimitsBody(Kind.MaxStoredSpecBytes)
            .Describe<ChangesetAnswer>("publishSetting", "Publishes the body as the text of a setting.");
        api.MapGet("/{namespace}/watch", Watch)
            .RequiresPrincipal("delivers what the principal may read, asked anew with every publication")
            .Describe<SettingSnapshot>(
                "watchSettings", "Server-sent events: one per publication, never half of a changeset.");
    }

    private static ResourceKey Key(HttpContext context)
    {
        var values = context.Request.RouteValues;
        return new ResourceKey(SettingKind.Name, $"{values["namespace"]}", $"{values["group"]}/{values["dataId"]}");
    }

    private async Task<IResult> Snapshot(HttpContext context, string @namespace, string[]? group)
    {
        if (Misnamed(@namespace) is { } misnamed) return Problems.From(misnamed);
        var read = await reader.ReadAsync(
            changes.Snapshots.Current, SettingCaller.Of(
                context), new SettingSelection(@namespace, group), context.RequestAborted);
        return read.TryGet(out var snapshot, out var fault)
            ? Results.Json(snapshot, WireJson.Strict.SettingSnapshot)
            : Problems.From(fault);
    }

    private async Task<IResult> Content(HttpContext context, string @namespace, string group, string dataId)
    {
        var key = Key(context);
        var read = await reader.ReadOneAsync(
            changes.Snapshots.Current, SettingCaller.Of(context), key, context.RequestAborted);
        if (!read.TryGet(out var setting, out var fault)) return Problems.From(fault);
        context.Response.Headers.ETag = $"\"{setting.Revision}\"";
        return Results.Text(setting.Content, (ContentFormat.Find(setting.Format) ?? ContentFormat.Text).MediaType);
    }

    /// <summary>
    /// The text is the body; what is known of the setting beside it (secret, description) stays as it is.
    /// </summary>
    private async Task<IResult> Publish(
        HttpContext context, string @namespace, string group, string dataId, string? format, bool? dryRun)
    {
        var key = Key(context);
        if (!ApiRequests.Condition(context.Request).TryGet(out var expect, out var fault)) return Problems.From(fault);
        if (!ApiRequests.ChangesetId(context.Request).TryGet(out var id, out fault)) return Problems.From(fault);
        if (RequestBody.CheckEncoding(context.Request) is { } packed) return Problems.From(packed);
        var body = await ReadBodyAsync(context.Request);
        if (!body.TryGet(out var content, out fault)) return Problems.From(fault);
        var publication = new Publication(key, content, format, expect, id, dryRun == true);
        for (var attempt = 1; ; attempt++)
        {
            var outcome = await PublishAsync(context, publication);
            if (outcome.TryGet(out var commit, out fault)) return CommitResults.Answer(context, commit);
            // Somebody wrote in between, and the caller has set no condition: what is kept is read anew.
            var again = fault.Error == ErrorCodes.RevisionConflict && expect is null && attempt < MaxAttempts;
            if (!again) return Problems.From(AsSyntax(CommitResults.AsPrecondition(fault)));
        }
    }

    private async Task<Outcome<Commit>> PublishAsync(HttpContext context, Publication wanted)
    {
        var (key, content, format, expect, id, dryRun) = wanted;
        var resource = changes.Snapshots.Current.Find(key);
        var before = await BeforeAsync(resource, context.RequestAborted);
        if (!before.TryGet(out var kept, out var fault)) return fault;
        var spec = kept with
        {
            Content = content,
            Format = format ?? (kept.Format.Length > 0 ? kept.Format : ContentFormat.Infer(key.Name).Name),
        };
        var change = new Change(
            ChangeOperation.Put,
            key,
            JsonSerializer.SerializeToUtf8Bytes(spec, SettingJson.Default.SettingSpec),
            // The version whose secrecy is kept: a text must not come out in clear because somebody made it a secret
            // while it was written.
            Expect: expect ?? resource?.Revision ?? 0)
        {
            ExpectIsImplied = expect is null,
        };
        return await changes.CommitAsync(
            new Changeset(context.Principal(), [change])
            {
                Reason = ApiRequests.Reason(context.Request),
                Id = id,
                DryRun = dryRun,
            },
            context.RequestAborted);
    }

    /// <summary>
    /// Where the text alone is at fault the code says so, and the places are the text's own. As a resource, among
    /// others of other kinds, a setting with such faults is <c>resource_invalid</c> like any.
    /// </summary>
    private static Fault AsSyntax(Fault fault)
    {
        if (fault.Error != ErrorCodes.ResourceInvalid || fault.Fields.IsDefaultOrEmpty
            || fault.Fields.Any(field => field.Path != ContentFaults.Path || field.Line is null)) return fault;
        return new Fault(ErrorCodes.SettingSyntax, $"The text was not published: {fault.Detail}")
        {
            Fields = [.. fault.Fields.Select(field => field with { Path = "" })],
        };
    }

    private static async Task<Outcome<string>> ReadBodyAsync(HttpRequest request)
    {
        try
        {
            using var text = new StreamReader(request.Body, new UTF8Encoding(false, throwOnInvalidBytes: true));
            return await text.ReadToEndAsync(request.HttpContext.RequestAborted);
        }
        catch (DecoderFallbackException)
        {
            return new Fault(ErrorCodes.BadRequest, "The body is not UTF-8 text.");
        }
    }

    private async ValueTask<Outcome<SettingSpec>> BeforeAsync(Resource? resource, CancellationToken cancellationToken)
    {
        if (resource is null) return new SettingSpec("", "");
        var stored = await changes.ReadStoredAsync(resource, cancellationToken);
        return stored.TryGet(out var whole, out var fault)
            ? JsonSerializer.Deserialize(changes.Open(whole)
                .Span, SettingJson.Default.SettingSpec) ?? new SettingSpec("", "")
            : fault;
    }

    private Task Watch(HttpContext context, string @namespace, string[]? group, long? after) =>
        Misnamed(@namespace) is { } misnamed
            ? Problems.WriteAsync(context, misnamed)
            : watch.FollowAsync(context, new SettingSelection(@namespace, group), after);

    // One that does not exist yet may come; one that cannot exist is a mistake.
    private static Fault? Misnamed(string name) => name == Names.NodeWide
        ? new Fault(ErrorCodes.NamespaceInvalid, "Settings live in namespaces; name one, such as default.")
        : ApiRequests.CheckNamespace(name);

    private sealed record Publication(
        ResourceKey Key, string Content, string? Format, long? Expect, Guid? Id, bool DryRun);
}

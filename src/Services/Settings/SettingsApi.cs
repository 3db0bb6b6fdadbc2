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
        var body = await ReadBodyAsync(context.Request);
        if (!body.TryGet(out var content, out fault)) return Problems.From(fault);
        var before = await BeforeAsync(key, context.RequestAborted);
        if (!before.TryGet(out var kept, out fault)) return Problems.From(fault);
        var spec = kept with
        {
            Content = content,
            Format = format ?? (kept.Format.Length > 0 ? kept.Format : ContentFormat.Infer(dataId).Name),
        };
        var change = new Change(
            ChangeOperation.Put,
            key,
            JsonSerializer.SerializeToUtf8Bytes(spec, SettingJson.Default.SettingSpec),
            Expect: expect);
        var outcome = await changes.CommitAsync(
            new Changeset(context.Principal(), [change])
            {
                Reason = ApiRequests.Reason(context.Request),
                Id = id,
                DryRun = dryRun == true,
            },
            context.RequestAborted);
        return outcome.TryGet(out var commit, out fault)
            ? CommitResults.Answer(context, commit)
            : Problems.From(CommitResults.AsPrecondition(fault));
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

    private async ValueTask<Outcome<SettingSpec>> BeforeAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (changes.Snapshots.Current.Find(key) is not { } resource) return new SettingSpec("", "");
        var stored = await changes.ReadStoredAsync(resource, cancellationToken);
        return stored.TryGet(out var whole, out var fault)
            ? JsonSerializer.Deserialize(changes.Open(whole)
                .Span, SettingJson.Default.SettingSpec) ?? new SettingSpec("", "")
            : fault;
    }

    private Task Watch(HttpContext context, string @namespace, string[]? group, long? after) =>
        watch.FollowAsync(context, new SettingSelection(@namespace, group), after);
}

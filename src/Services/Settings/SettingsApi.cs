using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Formats;
using Groundwork.Services.Settings.Readers;
using Groundwork.Services.Settings.Schemas;
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
internal sealed class SettingsApi(
    ChangeLog changes, SettingReader reader, SettingsWatch watch, LiveReaders readers)
{
    private const string Root = Listeners.ApiRoot + "/settings";

    private readonly SettingPublisher publisher = new(changes);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Root).WithTags("Settings");
        var reads = api.MapGroup("").AddEndpointFilter(ApiRequests.AtLeast(changes.Snapshots));
        reads.MapGet("/{namespace}", Snapshot)
            .RequiresPrincipal("gives what the principal may read; secrets it may not read are named, not given")
            .ReadsReader().ReadsQuery("receipts")
            .Describe<SettingSnapshot>("getSettings", "The settings of some groups, at one revision.");
        reads.MapGet("/{namespace}/{group}/{**dataId}", Content)
            .Requires(Verb.Read, SettingAccess.PathTarget)
            .ReadsReader()
            .Describe<string>("getSettingContent", "The text of one setting.");
        api.MapPut("/{namespace}/{group}/{**dataId}", Publish)
            .Requires(Verb.Write, SettingAccess.PathTarget)
            .LimitsBody(Kind.MaxStoredSpecBytes)
            .Describe<ChangesetAnswer>("publishSetting", "Publishes the body as the text of a setting.");
        api.MapGet("/{namespace}/watch", Watch)
            .RequiresPrincipal("delivers what the principal may read, asked anew with every publication")
            .ReadsReader().ReadsQuery("receipts")
            .Describe<SettingSnapshot>(
                "watchSettings", "Server-sent events: one per publication, never half of a changeset.");
    }

    private async Task<IResult> Snapshot(HttpContext context, string @namespace, string[]? group)
    {
        if (SettingAccess.Misnamed(@namespace) is { } misnamed) return Problems.From(misnamed);
        if (CheckGroups(group) is { } fault) return Problems.From(fault);
        if (!ReaderIdentity.Of(context.Request).TryGet(out var identity, out fault)) return Problems.From(fault);
        var caller = SettingCaller.Of(context, identity);
        var selection = new SettingSelection(@namespace, group);
        var current = changes.Snapshots.Current;
        var read = await reader.ReadAsync(current, caller, selection, context.RequestAborted);
        if (!read.TryGet(out var snapshot, out fault)) return Problems.From(fault);
        return new SentSnapshot(snapshot, () =>
        {
            using var connection = readers.Begin(caller, selection);
            connection?.Sent(snapshot, current);
        });
    }

    private async Task<IResult> Content(HttpContext context, string @namespace, string group, string dataId)
    {
        var key = SettingAccess.PathTarget(context);
        if (!ReaderIdentity.Of(context.Request).TryGet(out var identity, out var fault)) return Problems.From(fault);
        var caller = SettingCaller.Of(context, identity);
        var read = await reader.ReadOneAsync(changes.Snapshots.Current, caller, key, context.RequestAborted);
        if (!read.TryGet(out var setting, out fault)) return Problems.From(fault);
        // A condition on a write is on the setting's own text, which this is not.
        if (setting.Release is { } release) context.Response.Headers[HeaderNames.Release] = release;
        else context.Response.Headers.ETag = $"\"{setting.Revision}\"";
        return Results.Text(setting.Content, (ContentFormat.Find(setting.Format) ?? ContentFormat.Text).MediaType);
    }

    /// <summary>
    /// The text is the body; what is known of the setting beside it (secret, description) stays as it is.
    /// </summary>
    private async Task<IResult> Publish(
        HttpContext context, string @namespace, string group, string dataId, string? format, bool? dryRun)
    {
        var key = SettingAccess.PathTarget(context);
        if (!ApiRequests.Condition(context.Request).TryGet(out var expect, out var fault)) return Problems.From(fault);
        if (!ApiRequests.ChangesetId(context.Request).TryGet(out var id, out fault)) return Problems.From(fault);
        if (RequestBody.CheckEncoding(context.Request) is { } packed) return Problems.From(packed);
        var body = await ReadBodyAsync(context.Request);
        if (!body.TryGet(out var content, out fault)) return Problems.From(fault);
        var publication = new SettingPublication(context.Principal(), key, content)
        {
            Format = format,
            Expect = expect,
            Id = id,
            DryRun = dryRun == true,
            Reason = ApiRequests.Reason(context.Request),
        };
        var outcome = await publisher.PublishAsync(publication, context.RequestAborted);
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

    private Task Watch(HttpContext context, string @namespace, string[]? group, long? after)
    {
        if ((SettingAccess.Misnamed(@namespace) ?? CheckGroups(group)) is { } misnamed)
            return Problems.WriteAsync(context, misnamed);
        return ReaderIdentity.Of(context.Request).TryGet(out var identity, out var fault)
            ? watch.FollowAsync(context, SettingCaller.Of(context, identity), new(@namespace, group), after)
            : Problems.WriteAsync(context, fault);
    }

    private static Fault? CheckGroups(string[]? groups) => groups?.Length > SettingSelection.MaxGroups
        ? new Fault(
            ErrorCodes.BadRequest, $"'group' is given {groups.Length} times, {SettingSelection.MaxGroups} are allowed.")
        : null;
}

/// <summary>The answer with settings, noted as sent once it is written.</summary>
internal sealed class SentSnapshot(SettingSnapshot snapshot, Action sent) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        await Results.Json(snapshot, WireJson.Strict.SettingSnapshot).ExecuteAsync(httpContext);
        await httpContext.Response.Body.FlushAsync(httpContext.RequestAborted);
        if (!httpContext.RequestAborted.IsCancellationRequested) sent();
    }
}

/// <summary>What the OpenAPI document says of endpoints that readers name themselves to.</summary>
internal static class ReaderQueries
{
    public static RouteHandlerBuilder ReadsReader(this RouteHandlerBuilder endpoint) =>
        endpoint.ReadsQuery("instance").ReadsQuery("label");
}

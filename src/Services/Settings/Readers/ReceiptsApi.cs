using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Settings.Readers;

/// <summary>What readers say of settings, and what is known of them.</summary>
internal sealed class ReceiptsApi(ReaderDesk desk, SettingAccess access)
{
    /// <summary>Bytes of a report, a thousand receipts, each with its reason; and of a text that is planned.</summary>
    private const long MaxReportBytes = 2 * 1024 * 1024;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot).WithTags("Settings");
        api.MapPost("/settings/{namespace}/receipts", ReportAsync)
            .RequiresPrincipal("Renew on the instance that the body names")
            .LimitsBody(MaxReportBytes)
            .WithName("reportSettingReceipts")
            .WithSummary("Tells what became of settings at an instance; answered when it is on disk.")
            .Produces(StatusCodes.Status204NoContent);
        api.MapGet("/receipts/{namespace}/{group}/{**dataId}", ReceiptsAsync)
            .Requires(Verb.Read, SettingAccess.PathTarget)
            .AddEndpointFilter(ApiRequests.AtLeast(desk.Snapshots))
            .ReadsQuery("atLeast")
            .Describe<SettingReceipts>(
                "getSettingReceipts", "What became of a setting at each of its readers, of one revision or of now.");
        api.MapGet("/readers/{namespace}", ReadersAsync)
            .Requires(Verb.Read, SettingAccess.QueryTarget)
            .Describe<ReaderList>("listSettingReaders", "Who reads settings of a namespace, and which keys.");
        api.MapGet("/flags/{namespace}/exposures", ExposuresAsync)
            .Requires(Verb.Read, SettingAccess.NamespaceTarget)
            .Describe<FlagExposureList>("listFlagExposures", "How often flags answered with which variant.");
        api.MapPost("/settings/{namespace}/blast-radius", BlastAsync)
            .RequiresPrincipal("Read on the setting that the body names")
            .LimitsBody(MaxReportBytes)
            .Describe<BlastRadius>(
                "getBlastRadius", "Who reads a setting, and who would get a publication of it that is planned.");
    }

    private async Task<IResult> ReportAsync(HttpContext context, string @namespace, ReceiptBatch batch)
    {
        if (SettingAccess.Misnamed(@namespace) is { } misnamed) return Problems.From(misnamed);
        var read = await desk.ReadReportAsync(@namespace, batch, context.RequestAborted);
        if (!read.TryGet(out var report, out var fault)) return Problems.From(fault);
        if (access.Check(context, Verb.Renew, SettingAccess.Instance(report.Reader)) is { } refused)
            return Problems.From(refused);
        return await desk.StoreAsync(report) is { } failed ? Problems.From(failed) : TypedResults.NoContent();
    }

    private async Task<IResult> ReceiptsAsync(
        HttpContext context, string @namespace, string group, string dataId, long? revision)
    {
        if (SettingAccess.Misnamed(@namespace) is { } misnamed) return Problems.From(misnamed);
        var answer = await desk.ReceiptsAsync(SettingAccess.PathTarget(context), revision, context.RequestAborted);
        return answer.TryGet(out var receipts, out var fault)
            ? Results.Json(receipts, WireJson.Strict.SettingReceipts)
            : Problems.From(fault);
    }

    private async Task<IResult> ReadersAsync(HttpContext context, string @namespace, string? group, string? setting)
    {
        if (SettingAccess.Misnamed(@namespace) is { } misnamed) return Problems.From(misnamed);
        if (group is not null && setting is not null)
            return Problems.From(new Fault(ErrorCodes.BadRequest, "'group' and 'setting' exclude each other."));
        var answer = await desk.ReadersAsync(@namespace, group, setting, context.RequestAborted);
        return answer.TryGet(out var readers, out var fault)
            ? Results.Json(readers, WireJson.Strict.ReaderList)
            : Problems.From(fault);
    }

    private async Task<IResult> ExposuresAsync(HttpContext context, string @namespace)
    {
        if (SettingAccess.Misnamed(@namespace) is { } misnamed) return Problems.From(misnamed);
        var answer = await desk.ExposuresAsync(@namespace, context.RequestAborted);
        return answer.TryGet(out var exposures, out var fault)
            ? Results.Json(exposures, WireJson.Strict.FlagExposureList)
            : Problems.From(fault);
    }

    private async Task<IResult> BlastAsync(HttpContext context, string @namespace, BlastRadiusRequest request)
    {
        if (SettingAccess.Misnamed(@namespace) is { } misnamed) return Problems.From(misnamed);
        var key = new ResourceKey(SettingKind.Name, @namespace, request.Setting);
        if (access.Check(context, Verb.Read, key) is { } refused) return Problems.From(refused);
        var answer = await desk.BlastAsync(context.Principal(), key, request, context.RequestAborted);
        return answer.TryGet(out var radius, out var fault)
            ? Results.Json(radius, WireJson.Strict.BlastRadius)
            : Problems.From(fault);
    }
}

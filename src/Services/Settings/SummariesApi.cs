using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Formats;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Settings;

/// <summary>What settings there are, for those who look for one: <c>/groundwork/v1/setting-summaries</c>.</summary>
internal sealed class SummariesApi(SettingSummaries summaries, ISnapshotSource snapshots)
{
    private const int DefaultLimit = 1_000;

    /// <summary>Settings of one answer: some 2 MB, of a store as large as they get.</summary>
    private const int MaxLimit = 10_000;

    public void Map(IEndpointRouteBuilder endpoints) => endpoints
        .MapGroup(Listeners.ApiRoot).WithTags("Settings")
        .AddEndpointFilter(ApiRequests.AtLeast(snapshots)).ReadsQuery("atLeast")
        .MapGet("/setting-summaries", List)
        .RequiresPrincipal("lists what the principal may read")
        .Describe<SettingList>(
            "listSettings", "A page of what settings there are, without their texts, in order of namespace and name.");

    private async Task<IResult> List(
        HttpContext context, string? @namespace, string? prefix, string? format, int? limit, string? page)
    {
        if (@namespace is not null && SettingAccess.Misnamed(@namespace) is { } misnamed)
            return Problems.From(misnamed);
        if (format is not null && ContentFormat.Find(format) is null)
            return Problems.From(new Fault(
                ErrorCodes.BadRequest, $"'format' is one of {ContentFormat.Names}, not '{format}'."));
        if (!ApiRequests.Limit(limit, DefaultLimit, MaxLimit).TryGet(out var count, out var fault))
            return Problems.From(fault);
        if (!After(page).TryGet(out var after, out fault)) return Problems.From(fault);
        var listed = await summaries.ListAsync(
            context.Principal(), @namespace, prefix ?? "", format, after, count, context.RequestAborted);
        return listed.TryGet(out var list, out fault)
            ? Results.Json(list, WireJson.Strict.SettingList)
            : Problems.From(fault);
    }

    private static Outcome<ResourceKey?> After(string? page)
    {
        if (page is null) return default(ResourceKey?);
        var slash = page.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && Names.IsNamespace(page.AsSpan(0, slash)) && Names.IsName(page.AsSpan(slash + 1))
            ? new ResourceKey(SettingKind.Name, page[..slash], page[(slash + 1)..])
            : new Fault(ErrorCodes.BadRequest, "The page is not one that this API gave.");
    }
}

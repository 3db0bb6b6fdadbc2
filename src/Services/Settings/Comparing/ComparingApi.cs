using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Readers;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Settings.Comparing;

/// <summary>
/// Two namespaces beside each other, and the way from one to the other: <c>/groundwork/v1/settings-comparison</c> and
/// <c>/settings-promotions</c>.
/// </summary>
internal sealed class ComparingApi(ChangeLog changes, SettingComparer comparer, SettingPromoter promoter)
{
    /// <summary>Bytes of a promotion's body: 1,000 settings with 60 keys of 100 characters and what is around
    /// them.</summary>
    private const int MaxBodyBytes = 8 * 1024 * 1024;

    /// <summary>Settings of one promotion: the changes of one changeset.</summary>
    private const int MaxSettings = 1_000;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot).WithTags("Settings");
        api.MapGroup("").AddEndpointFilter(ApiRequests.AtLeast(changes.Snapshots)).ReadsQuery("atLeast")
            .MapGet("/settings-comparison", Compare)
            .RequiresPrincipal(
                "compares what the principal may read in both namespaces; forbidden when that is nothing")
            .Describe<SettingComparison>(
                "compareSettings", "Two namespaces key by key, seen from what was promoted last.");
        api.MapPost("/settings-promotions", (Delegate)Promote)
            .RequiresPrincipal("authorised setting by setting: read on both, read-secret on a secret source, and "
                + "write on the target")
            .LimitsBody(MaxBodyBytes)
            .Describe<PromotionAnswer>(
                "promoteSettings", "Takes settings, or keys of them, from one namespace to another, all or none.")
            .MayPropose().ReadsChangesetHeaders()
            .Accepts<PromotionRequest>("application/json");
    }

    private async Task<IResult> Compare(HttpContext context, string from, string to, string[]? group, bool? same,
        bool? reveal)
    {
        if (Misnamed(from, to) is { } misnamed) return Problems.From(misnamed);
        var compared = await comparer.CompareAsync(
            CallerOf(context), from, to, group, same == true, reveal == true, context.RequestAborted);
        return compared.TryGet(out var comparison, out var fault)
            ? Results.Json(comparison, WireJson.Strict.SettingComparison)
            : Problems.From(fault);
    }

    private async Task<IResult> Promote(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context.Request, WireJson.Strict.PromotionRequest);
        if (!body.TryGet(out var request, out var fault)) return Problems.From(fault);
        if (!ApiRequests.ChangesetId(context.Request).TryGet(out var id, out fault)) return Problems.From(fault);
        if (Check(request) is { } wrong) return Problems.From(wrong);
        var reason = request.Reason ?? (ApiRequests.Reason(context.Request) is { Length: > 0 } given ? given : null);
        var outcome = await promoter.PromoteAsync(
            CallerOf(context), request with { Id = request.Id ?? id, Reason = reason }, context.RequestAborted);
        if (!outcome.TryGet(out var done, out fault)) return Problems.From(fault);
        var answer = new PromotionAnswer(ResourceDocuments.ToAnswer(done.Commit), done.Results);
        return Results.Json(
            answer, WireJson.Strict.PromotionAnswer,
            statusCode: done.Commit.Proposal is null ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    // Who compares is no reader: whom a gray release is for does not matter here.
    private static SettingCaller CallerOf(HttpContext context) => SettingCaller.Of(context, ReaderIdentity.None);

    private static Fault? Check(PromotionRequest request)
    {
        if (Misnamed(request.From, request.To) is { } misnamed) return misnamed;
        if (request.Settings.Count is 0 or > MaxSettings)
            return new Fault(ErrorCodes.BadRequest,
                $"'settings' has 1 to {MaxSettings}, not {request.Settings.Count}.");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var setting in request.Settings)
        {
            // The reader holds to what may be null everywhere but inside lists.
            if (setting is null || setting.Keys?.Any(key => key is null) == true)
                return new Fault(ErrorCodes.BadRequest, "'settings' and their 'keys' must not have null.");
            if (!Names.IsName($"{setting.Group}/{setting.DataId}"))
                return new Fault(ErrorCodes.NameInvalid,
                    $"'{setting.Group}/{setting.DataId}' is not a setting's name.");
            if (!names.Add($"{setting.Group}/{setting.DataId}"))
                return new Fault(
                    ErrorCodes.ChangesetDuplicateKey, $"{setting.Group}/{setting.DataId} is promoted twice.");
        }
        return null;
    }

    private static Fault? Misnamed(string from, string to)
    {
        if (from == to) return new Fault(ErrorCodes.BadRequest, "'from' and 'to' are the same namespace.");
        foreach (var name in new[] { from, to })
            if (!Names.IsNamespace(name))
                return new Fault(ErrorCodes.NamespaceInvalid, $"'{name}' is not a namespace.");
        return null;
    }
}

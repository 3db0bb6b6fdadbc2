using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Settings.Releases;

/// <summary>Ends a gray release for everybody's good: its text becomes the setting's.</summary>
internal sealed class ReleasesApi(ChangeLog changes, SettingAccess access)
{
    public void Map(IEndpointRouteBuilder endpoints) => endpoints
        .MapPost(Listeners.ApiRoot + "/gray-releases/{namespace}/{name}/promote", PromoteAsync)
        .WithTags("Settings")
        .RequiresPrincipal("Write on the setting of the release and Delete on the release")
        .ReadsReason()
        .Describe<ChangesetAnswer>(
            "promoteGrayRelease", "One changeset: the release's text becomes the setting's, and the release is gone.")
        .MayPropose();

    private async Task<IResult> PromoteAsync(HttpContext context, string @namespace, string name, bool? dryRun)
    {
        if (SettingAccess.Misnamed(@namespace) is { } misnamed) return Problems.From(misnamed);
        var key = new ResourceKey(GrayReleaseKind.Name, @namespace, name);
        // Asked before anything is said of it; the changeset asks for the setting.
        if (access.Check(context, Verb.Delete, key) is { } refused) return Problems.From(refused);
        var planned = await PlanAsync(key, context.RequestAborted);
        if (!planned.TryGet(out var plan, out var fault)) return Problems.From(fault);
        var reason = ApiRequests.Reason(context.Request);
        var outcome = await changes.CommitAsync(
            new Changeset(context.Principal(), [plan.Publish, plan.End])
            {
                Reason = reason.Length > 0 ? reason : $"promote gray release {name}",
                DryRun = dryRun == true,
            },
            context.RequestAborted);
        return outcome.TryGet(out var commit, out fault)
            ? CommitResults.Answer(context, commit)
            : Problems.From(fault);
    }

    private async Task<Outcome<Plan>> PlanAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var now = changes.Snapshots.Current;
        if (now.Find(key) is not { } release)
            return new Fault(ErrorCodes.ResourceNotFound, $"There is no {key}.");
        var readRelease = await changes.ReadStoredAsync(release, cancellationToken);
        if (!readRelease.TryGet(out var whole, out var fault)) return fault;
        var spec = GrayReleaseKind.Read(changes.Open(whole));
        var settingKey = new ResourceKey(SettingKind.Name, key.Namespace, spec.Setting);
        if (now.Find(settingKey) is not { } setting)
            return new Fault(ErrorCodes.SettingNotFound, $"There is no {settingKey}.");
        var readSetting = await changes.ReadStoredAsync(setting, cancellationToken);
        if (!readSetting.TryGet(out whole, out fault)) return fault;
        var before = SettingKind.Read(changes.Open(whole));
        var after = before with { Content = spec.Content, Secret = before.Secret || spec.Secret };
        return new Plan(
            new Change(
                ChangeOperation.Put,
                settingKey,
                JsonSerializer.SerializeToUtf8Bytes(after, SettingJson.Default.SettingSpec),
                Expect: setting.Revision) { ExpectIsImplied = true },
            Change.Delete(key, release.Revision) with { ExpectIsImplied = true });
    }

    private sealed record Plan(Change Publish, Change End);
}

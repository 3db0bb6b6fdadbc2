using System.Net;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Protocols.Nacos;

/// <summary>
/// Nacos's beta: a text for the readers at some addresses. It is a gray release like others, of the instances
/// <c>nacos/ADDRESS</c>, with a history and a diff, and our own API shows and ends it.
/// </summary>
internal sealed class NacosBeta(
    ChangeLog changes, SettingContents contents, GrayReleases releases, SettingAccess access, Authorizer authorizer)
{
    public async Task<Fault?> PublishAsync(NacosConfigCall call, ResourceKey setting, string content, string addresses)
    {
        var place = NacosSettings.BetaOf(setting);
        if (access.Check(call.Context, Verb.Write, place) is { } refused) return refused;
        var instances = new List<string>();
        const StringSplitOptions Clean = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        foreach (var text in addresses.Split(',', Clean))
        {
            if (!IPAddress.TryParse(text, out var address))
                return new Fault(ErrorCodes.BadRequest, "'betaIps' must be addresses joined by commas.");
            instances.Add($"{NacosSettings.ReaderService}/{address}");
        }
        if (instances.Count is 0 or > NacosConfigLimits.MaxBetaAddresses)
            return new Fault(
                ErrorCodes.BadRequest, $"'betaIps' must be 1 to {NacosConfigLimits.MaxBetaAddresses} addresses.");
        if (changes.Snapshots.Current.Find(setting) is not { } own)
            return new Fault(ErrorCodes.SettingNotFound, "A beta is of a configuration, and there is none.");
        var read = await ReadOwnAsync(own, call.Context.RequestAborted);
        if (!read.TryGet(out var document, out var fault)) return fault;
        var spec = new GrayReleaseSpec(setting.Name, content, new GrayReceivers(instances))
        {
            Secret = document.Secret,
        };
        var published = await changes.CommitAsync(
            new Changeset(
                call.Caller, [Change.Put(GrayReleaseKind.Kind, place.Namespace, place.Name, spec)])
            {
                Reason = NacosConfigs.ReasonOf(call, "beta published over Nacos"),
            },
            call.Context.RequestAborted);
        fault = NacosConfigs.Find(published);
        if (fault is null) await call.TrueAsync();
        return fault;
    }

    /// <summary>The beta with its addresses; 404 when there is none. The caller may read the setting.</summary>
    public async Task<Fault?> ShowAsync(NacosConfigCall call, ResourceKey setting)
    {
        var place = NacosSettings.BetaOf(setting);
        if (access.Check(call.Context, Verb.Read, place) is { } refused) return refused;
        if (changes.Snapshots.Current.Find(place) is not { } release)
            return new Fault(ErrorCodes.SettingNotFound, "The configuration has no beta.");
        var stored = await changes.ReadStoredAsync(release, call.Context.RequestAborted);
        if (!stored.TryGet(out var whole, out var fault)) return fault;
        var spec = GrayReleaseKind.Read(changes.Open(whole));
        if (spec.Secret && access.Check(call.Context, Verb.ReadSecret, place) is { } barred) return barred;
        var prefix = $"{NacosSettings.ReaderService}/";
        var addresses = string.Join(',', (spec.To.Instances ?? [])
            .Where(one => one.StartsWith(prefix, StringComparison.Ordinal)).Select(one => one[prefix.Length..]));
        void Write(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            NacosRows.WriteName(json, setting);
            json.WriteString("content", spec.Content);
            json.WriteString("md5", NacosSettings.HashOf(spec.Content));
            json.WriteString("betaIps", addresses);
            json.WriteEndObject();
        }
        await call.JsonAsync(json =>
        {
            if (call.IsV2)
            {
                Write(json);
                return;
            }
            // The one answer of version 1 that has an envelope.
            json.WriteStartObject();
            json.WriteNumber("code", 200);
            json.WriteString("message", "query beta ok");
            json.WritePropertyName("data");
            Write(json);
            json.WriteEndObject();
        });
        return null;
    }

    /// <summary>Ends the beta: its readers get the setting's own text.</summary>
    public async Task<Fault?> StopAsync(NacosConfigCall call, ResourceKey setting)
    {
        var place = NacosSettings.BetaOf(setting);
        if (access.Check(call.Context, Verb.Delete, place) is { } refused) return refused;
        if (changes.Snapshots.Current.Find(place) is not null)
        {
            var stopped = await changes.CommitAsync(
                new Changeset(call.Caller, [Change.Delete(place)])
                {
                    Reason = NacosConfigs.ReasonOf(call, "beta ended over Nacos"),
                },
                call.Context.RequestAborted);
            if (NacosConfigs.Find(stopped) is { } failed && failed.Error != ErrorCodes.ResourceNotFound) return failed;
        }
        if (call.IsV2)
        {
            await call.TrueAsync();
            return null;
        }
        await call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("code", 200);
            json.WriteString("message", "stop beta ok");
            json.WriteBoolean("data", true);
            json.WriteEndObject();
        });
        return null;
    }

    /// <summary>All gray releases of a setting.</summary>
    public async ValueTask<Outcome<IReadOnlyList<ResourceKey>>> ReleasesOfAsync(
        ResourceKey setting, CancellationToken cancellationToken)
    {
        var found = await releases.AtAsync(changes.Snapshots.Current, cancellationToken);
        return found.TryGet(out var inForce, out var fault)
            ? inForce.Of(setting.Namespace, setting.Name).Select(rule => rule.Resource.Key).ToArray()
            : fault;
    }

    /// <summary>A setting's own text, whoever asks.</summary>
    public ValueTask<Outcome<SettingDocument>> ReadOwnAsync(Resource setting, CancellationToken cancellationToken) =>
        contents.ReadAsync(new SettingVersion(setting, null), cancellationToken);

    /// <summary>True when the caller may see a text of this secrecy.</summary>
    public bool MaySee(Principal caller, ResourceKey setting, bool secret) =>
        !secret || authorizer.Allows(caller, Verb.ReadSecret, setting);
}

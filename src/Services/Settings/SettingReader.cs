using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings;

/// <summary>Which settings a reader wants.</summary>
/// <param name="Groups">Null or empty: all groups of the namespace.</param>
internal sealed record SettingSelection(string Namespace, IReadOnlyList<string>? Groups)
{
    public bool Selects(ResourceKey key) =>
        key.Namespace == Namespace
        && (Groups is not { Count: > 0 } || (SettingKind.Split(key.Name) is var (group, _) && Groups.Contains(group)));
}

/// <summary>Who reads, and from where.</summary>
internal sealed record SettingCaller(Principal Principal, string? Address)
{
    public static SettingCaller Of(HttpContext context) => new(context.Principal(), RequestAddress.Of(context));
}

/// <summary>
/// Reads settings for a caller: what it may read, secrets only with the right to them, each such read audited.
/// </summary>
internal sealed class SettingReader(SettingContents contents, Authorizer authorizer, AuditLog? audit)
{
    /// <summary>Everything selected, as of one snapshot.</summary>
    public ValueTask<Outcome<SettingSnapshot>> ReadAsync(
        Snapshot snapshot, SettingCaller caller, SettingSelection selection, CancellationToken cancellationToken) =>
        ReadAsync(snapshot, caller, selection.Namespace, Visible(snapshot, caller, selection), null, cancellationToken);

    /// <summary>What differs between two snapshots; null when nothing does.</summary>
    public async ValueTask<Outcome<SettingSnapshot?>> ReadChangesAsync(
        Snapshot before, Snapshot after, SettingCaller caller, SettingSelection selection,
            CancellationToken cancellationToken)
    {
        var removed = Visible(before, caller, selection)
            .Where(old => after.Find(old.Key) is null)
            .Select(old => old.Key.Name)
            .ToList();
        var changed = Visible(after, caller, selection)
            .Where(now => before.Find(now.Key)?.Revision != now.Revision)
            .ToList();
        if (removed.Count == 0 && changed.Count == 0) return (SettingSnapshot?)null;
        var read = await ReadAsync(after, caller, selection.Namespace, changed, removed, cancellationToken);
        return read.TryGet(out var news, out var fault) ? news : fault;
    }

    public async ValueTask<Outcome<SettingDocument>> ReadOneAsync(
        Snapshot snapshot, SettingCaller caller, ResourceKey key, CancellationToken cancellationToken)
    {
        if (snapshot.Find(key) is not { } resource)
            return new Fault(ErrorCodes.SettingNotFound, $"There is no setting {key.Namespace}/{key.Name}.");
        var read = await contents.ReadAsync(resource, cancellationToken);
        if (!read.TryGet(out var setting, out var fault)) return fault;
        if (!setting.Secret) return setting;
        if (authorizer.Authorize(caller.Principal, Verb.ReadSecret, key) is { } refused) return refused;
        Note(caller, key);
        return setting;
    }

    private IEnumerable<Resource> Visible(Snapshot snapshot, SettingCaller caller, SettingSelection selection) =>
        snapshot
        .Of(SettingKind.Name).Values
        .Where(one => selection.Selects(one.Key) && authorizer.Allows(caller.Principal, Verb.Read, one.Key));

    private async ValueTask<Outcome<SettingSnapshot>> ReadAsync(
        Snapshot snapshot,
        SettingCaller caller,
        string @namespace,
        IEnumerable<Resource> wanted,
        IReadOnlyList<string>? removed,
        CancellationToken cancellationToken)
    {
        var settings = new List<SettingDocument>();
        var withheld = new List<string>();
        foreach (var resource in wanted)
        {
            var read = await contents.ReadAsync(resource, cancellationToken);
            if (!read.TryGet(out var setting, out var fault)) return fault;
            if (setting.Secret && !authorizer.Allows(caller.Principal, Verb.ReadSecret, resource.Key))
            {
                withheld.Add(resource.Key.Name);
                continue;
            }
            if (setting.Secret) Note(caller, resource.Key);
            settings.Add(setting);
        }
        return new SettingSnapshot(
            snapshot.StoreId,
            snapshot.Revision,
            @namespace,
            settings,
            removed,
            withheld.Count > 0 ? withheld : null);
    }

    private void Note(SettingCaller caller, ResourceKey key) =>
        audit?.Append(new AuditEvent(caller.Principal.Name, "secret-read", key.ToString(), "ok", caller.Address));
}

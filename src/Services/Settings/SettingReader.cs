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
        ReadAsync(snapshot, caller, selection, held: null, cancellationToken);

    /// <summary>
    /// Notes what a reader has that says it is at this snapshot: everything that it may see now.
    /// </summary>
    public async ValueTask<Outcome<HeldSettings>> HoldAsync(
        Snapshot snapshot, SettingCaller caller, SettingSelection selection, CancellationToken cancellationToken)
    {
        var held = new HeldSettings();
        foreach (var resource in Visible(snapshot, caller, selection))
        {
            var read = await contents.ReadAsync(resource, cancellationToken);
            if (!read.TryGet(out var setting, out var fault)) return fault;
            held.Note(resource, MayHave(caller, setting, resource.Key));
        }
        return held;
    }

    /// <summary>
    /// What the reader lacks of this snapshot, and what it has that is not there, or not its to see, any more; null
    /// when there is neither.
    /// </summary>
    /// <param name="rights">True when the caller's rights may have changed since the last time.</param>
    public async ValueTask<Outcome<SettingSnapshot?>> ReadChangesAsync(
        Snapshot now, SettingCaller caller, SettingSelection selection, HeldSettings held, bool rights,
        CancellationToken cancellationToken)
    {
        var (settings, withheld, removed) = (new List<SettingDocument>(), new List<string>(), new List<string>());
        var visible = new HashSet<string>(StringComparer.Ordinal);
        foreach (var resource in Visible(now, caller, selection))
        {
            visible.Add(resource.Key.Name);
            if (!rights && held.Knows(resource)) continue;
            var read = await contents.ReadAsync(resource, cancellationToken);
            if (!read.TryGet(out var setting, out var fault)) return fault;
            var may = MayHave(caller, setting, resource.Key);
            var has = held.Has(resource.Key.Name);
            if (held.Knows(resource) && may == has) continue;
            held.Note(resource, may);
            if (may)
            {
                if (setting.Secret) Note(caller, resource.Key);
                settings.Add(setting);
                continue;
            }
            withheld.Add(resource.Key.Name);
            if (has) removed.Add(resource.Key.Name);
        }
        foreach (var gone in held.Names.Where(name => !visible.Contains(name)).ToList())
        {
            held.Drop(gone);
            removed.Add(gone);
        }
        if (settings.Count + withheld.Count + removed.Count == 0) return (SettingSnapshot?)null;
        return new SettingSnapshot(
            now.StoreId, now.Revision, selection.Namespace, settings, removed, withheld.Count > 0 ? withheld : null);
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

    /// <summary>Everything selected, noted as what the reader has from now on.</summary>
    public async ValueTask<Outcome<SettingSnapshot>> ReadAsync(
        Snapshot snapshot, SettingCaller caller, SettingSelection selection, HeldSettings? held,
        CancellationToken cancellationToken)
    {
        var settings = new List<SettingDocument>();
        var withheld = new List<string>();
        foreach (var resource in Visible(snapshot, caller, selection))
        {
            var read = await contents.ReadAsync(resource, cancellationToken);
            if (!read.TryGet(out var setting, out var fault)) return fault;
            var may = MayHave(caller, setting, resource.Key);
            held?.Note(resource, may);
            if (!may)
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
            selection.Namespace,
            settings,
            null,
            withheld.Count > 0 ? withheld : null);
    }

    private bool MayHave(SettingCaller caller, SettingDocument setting, ResourceKey key) =>
        !setting.Secret || authorizer.Allows(caller.Principal, Verb.ReadSecret, key);

    private void Note(SettingCaller caller, ResourceKey key) =>
        audit?.Append(new AuditEvent(caller.Principal.Name, "secret-read", key.ToString(), "ok", caller.Address));
}

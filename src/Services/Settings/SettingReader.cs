using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings;

/// <summary>
/// Reads settings for a caller: what it may read, in the version that is meant for it; secrets only with the right to
/// them, each such read audited.
/// </summary>
internal sealed class SettingReader(
    SettingContents contents, GrayReleases releases, Authorizer authorizer, AuditLog? audit)
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
        var found = await releases.AtAsync(snapshot, cancellationToken);
        if (!found.TryGet(out var inForce, out var fault)) return fault;
        var selected = selection.At(snapshot);
        var held = new HeldSettings();
        foreach (var resource in Visible(snapshot, caller, selected))
        {
            var version = inForce.Choose(resource, caller.Reader);
            var read = await contents.ReadAsync(version, cancellationToken);
            if (!read.TryGet(out var setting, out fault)) return fault;
            held.Note(version, MayHave(caller, setting, resource.Key));
        }
        held.Groups = Shown(selection, selected, held.Names);
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
        var found = await releases.AtAsync(now, cancellationToken);
        if (!found.TryGet(out var inForce, out var fault)) return fault;
        var selected = selection.At(now);
        var (settings, withheld, removed) = (new List<SettingDocument>(), new List<string>(), new List<string>());
        var visible = new HashSet<string>(StringComparer.Ordinal);
        foreach (var resource in Visible(now, caller, selected))
        {
            visible.Add(resource.Key.Name);
            var version = inForce.Choose(resource, caller.Reader);
            if (!rights && held.Knows(version)) continue;
            var read = await contents.ReadAsync(version, cancellationToken);
            if (!read.TryGet(out var setting, out fault)) return fault;
            var may = MayHave(caller, setting, resource.Key);
            var has = held.Has(resource.Key.Name);
            if (held.Knows(version) && may == has) continue;
            held.Note(version, may);
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
        var groups = Shown(selection, selected, visible);
        var reordered = held.Groups is { } known && !known.SequenceEqual(groups);
        held.Groups = groups;
        if (settings.Count + withheld.Count + removed.Count == 0 && !reordered) return (SettingSnapshot?)null;
        return new SettingSnapshot(
            now.StoreId, now.Revision, selection.Namespace, settings, removed, withheld.Count > 0 ? withheld : null,
            groups);
    }

    public async ValueTask<Outcome<SettingDocument>> ReadOneAsync(
        Snapshot snapshot, SettingCaller caller, ResourceKey key, CancellationToken cancellationToken)
    {
        if (snapshot.Find(key) is not { } resource)
            return new Fault(ErrorCodes.SettingNotFound, $"There is no setting {key.Namespace}/{key.Name}.");
        var found = await releases.AtAsync(snapshot, cancellationToken);
        if (!found.TryGet(out var inForce, out var fault)) return fault;
        var read = await contents.ReadAsync(inForce.Choose(resource, caller.Reader), cancellationToken);
        if (!read.TryGet(out var setting, out fault)) return fault;
        if (!setting.Secret) return setting;
        if (authorizer.Authorize(caller.Principal, Verb.ReadSecret, key) is { } refused) return refused;
        Note(caller, key);
        return setting;
    }

    /// <summary>Everything selected, noted as what the reader has from now on.</summary>
    public async ValueTask<Outcome<SettingSnapshot>> ReadAsync(
        Snapshot snapshot, SettingCaller caller, SettingSelection selection, HeldSettings? held,
        CancellationToken cancellationToken)
    {
        var found = await releases.AtAsync(snapshot, cancellationToken);
        if (!found.TryGet(out var inForce, out var fault)) return fault;
        var selected = selection.At(snapshot);
        var settings = new List<SettingDocument>();
        var withheld = new List<string>();
        var visible = new List<string>();
        foreach (var resource in Visible(snapshot, caller, selected))
        {
            visible.Add(resource.Key.Name);
            var version = inForce.Choose(resource, caller.Reader);
            var read = await contents.ReadAsync(version, cancellationToken);
            if (!read.TryGet(out var setting, out fault)) return fault;
            var may = MayHave(caller, setting, resource.Key);
            held?.Note(version, may);
            if (!may)
            {
                withheld.Add(resource.Key.Name);
                continue;
            }
            if (setting.Secret) Note(caller, resource.Key);
            settings.Add(setting);
        }
        var groups = Shown(selection, selected, visible);
        if (held is not null) held.Groups = groups;
        return new SettingSnapshot(
            snapshot.StoreId,
            snapshot.Revision,
            selection.Namespace,
            settings,
            null,
            withheld.Count > 0 ? withheld : null,
            groups);
    }

    /// <summary>
    /// The order of the groups that the reader has named itself or sees something of: the names of others are not its
    /// to know.
    /// </summary>
    private static List<string> Shown(
        SettingSelection selection, SelectedSettings selected, IEnumerable<string> visible)
    {
        var seen = visible.Select(name => SettingKind.Split(name)?.Group).Concat(selection.Groups ?? [])
            .ToHashSet(StringComparer.Ordinal);
        return [.. selected.Order.Where(seen.Contains)];
    }

    private IEnumerable<Resource> Visible(Snapshot snapshot, SettingCaller caller, SelectedSettings selected) =>
        snapshot
        .Of(SettingKind.Name).Values
        .Where(one => selected.Selects(one.Key) && authorizer.Allows(caller.Principal, Verb.Read, one.Key));

    private bool MayHave(SettingCaller caller, SettingDocument setting, ResourceKey key) =>
        !setting.Secret || authorizer.Allows(caller.Principal, Verb.ReadSecret, key);

    private void Note(SettingCaller caller, ResourceKey key) =>
        audit?.Append(new AuditEvent(caller.Principal.Name, "secret-read", key.ToString(), "ok", caller.Address));
}

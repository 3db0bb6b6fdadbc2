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
    private readonly SettingIndex index = new();

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
        var selected = index.Select(snapshot, selection);
        var held = new HeldSettings();
        foreach (var resource in Visible(caller, selected))
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
        var selected = index.Select(now, selection);
        // Mostly one publication, and ten thousand readers: what is not needed is not made.
        var settings = new List<SettingDocument>(1);
        var (withheld, removed) = ((List<string>?)null, (List<string>?)null);
        var (seen, names) = (0, held.Names.Count);
        foreach (var resource in selected.Settings)
        {
            if (!authorizer.Allows(caller.Principal, Verb.Read, resource.Key)) continue;
            seen++;
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
            (withheld ??= []).Add(resource.Key.Name);
            if (has) (removed ??= []).Add(resource.Key.Name);
        }
        // Everything that can be seen is held by now; what is held besides is gone.
        if (held.Names.Count > seen) (removed ??= []).AddRange(DropGone(held, Visible(caller, selected)));
        var groups = held.Groups;
        var sameNames = held.Names.Count == names && removed is null;
        if (!sameNames || !ReferenceEquals(held.Selected, selected)) groups = Shown(selection, selected, held.Names);
        var reordered = held.Groups is { } known && groups is not null && !ReferenceEquals(known, groups)
            && !known.SequenceEqual(groups);
        (held.Groups, held.Selected) = (groups, selected);
        if (settings.Count == 0 && withheld is null && removed is null && !reordered) return (SettingSnapshot?)null;
        return new SettingSnapshot(
            now.StoreId, now.Revision, selection.Namespace, settings, removed ?? [], withheld, groups);
    }

    private static List<string> DropGone(HeldSettings held, IEnumerable<Resource> visible)
    {
        var names = visible.Select(one => one.Key.Name).ToHashSet(StringComparer.Ordinal);
        var gone = held.Names.Where(name => !names.Contains(name)).ToList();
        foreach (var name in gone) held.Drop(name);
        return gone;
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
        var selected = index.Select(snapshot, selection);
        var settings = new List<SettingDocument>();
        var withheld = new List<string>();
        var visible = new List<string>();
        foreach (var resource in Visible(caller, selected))
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

    private IEnumerable<Resource> Visible(SettingCaller caller, SelectedSettings selected) =>
        selected.Settings.Where(one => authorizer.Allows(caller.Principal, Verb.Read, one.Key));

    private bool MayHave(SettingCaller caller, SettingDocument setting, ResourceKey key) =>
        !setting.Secret || authorizer.Allows(caller.Principal, Verb.ReadSecret, key);

    private void Note(SettingCaller caller, ResourceKey key) =>
        audit?.Append(new AuditEvent(caller.Principal.Name, "secret-read", key.ToString(), "ok", caller.Address));
}

using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Comparing;

/// <summary>
/// Compares the settings of two namespaces for a caller: what it may read in both, and into secrets only with the right
/// to them in both, each such look audited.
/// </summary>
internal sealed class SettingComparer(ChangeLog changes, Authorizer authorizer, AuditLog? audit)
{
    /// <summary>Settings of one comparison; each is read whole, from both sides and from history.</summary>
    public const int MaxSettings = 1_000;

    /// <summary>Characters of a value that an answer shows; the rest is read where it is.</summary>
    public const int MaxShown = 1_024;

    /// <param name="groups">Null or empty: all.</param>
    /// <param name="same">True: with the keys that are the same.</param>
    /// <param name="reveal">True: with the values of secrets, where the caller may read them.</param>
    public async Task<Outcome<SettingComparison>> CompareAsync(
        SettingCaller caller, string from, string to, IReadOnlyList<string>? groups, bool same, bool reveal,
        CancellationToken cancellationToken)
    {
        var snapshot = changes.Snapshots.Current;
        var names = NamesOf(snapshot, from, groups)
            .Union(NamesOf(snapshot, to, groups), StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        var visible = names.FindAll(name => Refuse(caller, from, to, name) is null);
        if (visible.Count == 0 && names.Count > 0 && Refuse(caller, from, to, names[0]) is { } refused) return refused;
        if (visible.Count > MaxSettings)
        {
            return new Fault(
                ErrorCodes.BadRequest,
                $"There are {visible.Count} settings to compare, {MaxSettings} are at once; name groups.");
        }
        var settings = new List<SettingDifference>();
        foreach (var name in visible)
        {
            var read = await ReadAsync(snapshot, from, to, name, cancellationToken);
            if (!read.TryGet(out var pair, out var fault)) return fault;
            settings.Add(Describe(caller, pair, same, reveal));
        }
        return new SettingComparison(snapshot.Revision, from, to, settings);
    }

    /// <summary>One setting of both namespaces, with the texts that were promoted before.</summary>
    public async Task<Outcome<SettingPair>> ReadAsync(
        Snapshot snapshot, string from, string to, string name, CancellationToken cancellationToken)
    {
        var source = await SideAsync(snapshot, from, name, cancellationToken);
        if (!source.TryGet(out var left, out var fault)) return fault;
        var target = await SideAsync(snapshot, to, name, cancellationToken);
        if (!target.TryGet(out var right, out fault)) return fault;
        var bases = new Dictionary<long, SettingSpec?>();
        if (right.Spec?.PromotedFrom is { } origin && origin.Namespace == from)
        {
            foreach (var revision in (origin.Keys?.Values ?? []).Append(origin.Revision).Where(one =>
                one > 0).Distinct())
            {
                var then = await BaseAsync(left, revision, cancellationToken);
                if (then.TryGet(out var spec, out fault)) bases[revision] = spec;
                // Compacted, or of a store before a restore: there is no base, which the answer says.
                else if (fault.Error != ErrorCodes.RevisionCompacted && fault.Error != ErrorCodes.RevisionUnknown)
                    return fault;
            }
        }
        return new SettingPair(left, right, bases);
    }

    /// <summary>Why the caller may not compare, or promote, this setting; null when it may.</summary>
    public Fault? Refuse(SettingCaller caller, string from, string to, string name) =>
        authorizer.Authorize(caller.Principal, Verb.Read, Key(from, name))
        ?? authorizer.Authorize(caller.Principal, Verb.Read, Key(to, name));

    /// <summary>Whether the caller may see values of the pair; noted, where they are secret.</summary>
    public bool MaySee(SettingCaller caller, SettingPair pair)
    {
        var secrets = new[] { pair.From, pair.To }.Where(side => side.IsSecret).ToList();
        if (pair.BaseSpec is { Secret: true } && !pair.From.IsSecret) secrets.Add(pair.From);
        if (secrets.Exists(side => !authorizer.Allows(caller.Principal, Verb.ReadSecret, side.Key))) return false;
        foreach (var side in secrets)
            audit?.Append(new AuditEvent(
                caller.Principal.Name, "secret-read", side.Key.ToString(), AuditLog.Ok, caller.Address));
        return true;
    }

    private static KeyDifference Describe(SettingPair pair, string key, string state)
    {
        var @base = pair.InBase(key);
        return new KeyDifference(
            key, state, Shown(pair.InFrom(key)), Shown(pair.InTo(key)), state == KeyStates.Same ? null : Shown(@base));
    }

    private SettingDifference Describe(SettingCaller caller, SettingPair pair, bool same, bool reveal)
    {
        var (group, dataId) = SettingKind.Split(pair.From.Key.Name) ?? ("", pair.From.Key.Name);
        var equal = pair.States.Count(one => one.State == KeyStates.Same);
        var answer = new SettingDifference(
            group, dataId, pair.State, pair.From.Revision, pair.To.Revision, null, 0, pair.Base,
            pair.From.IsSecret || pair.To.IsSecret);
        // Where nothing differs, nothing has to be looked into.
        if (pair.State == KeyStates.Same && !same) return answer with { Keys = [], Same = answer.Secret ? 0 : equal };
        if (!MaySee(caller, pair)) return answer;
        return answer with
        {
            Same = equal,
            Keys = [.. pair.States
                .Where(one => same || one.State != KeyStates.Same)
                .Select(one => answer.Secret && !reveal
                    ? new KeyDifference(one.Key, one.State)
                    : Describe(pair, one.Key, one.State))],
        };
    }

    private static string? Shown(KeyPlace place)
    {
        if (!place.Exists) return null;
        var value = place.Value ?? "null";
        return value.Length <= MaxShown ? value : value[..MaxShown] + "…";
    }

    private async ValueTask<Outcome<SettingSide>> SideAsync(
        Snapshot snapshot, string @namespace, string name, CancellationToken cancellationToken)
    {
        var key = Key(@namespace, name);
        if (snapshot.Find(key) is not { } resource) return new SettingSide(key, null, null);
        var stored = await changes.ReadStoredAsync(resource, cancellationToken);
        return stored.TryGet(out var whole, out var fault) ? new SettingSide(key, resource, SpecOf(whole)) : fault;
    }

    private async Task<Outcome<SettingSpec?>> BaseAsync(
        SettingSide source, long revision, CancellationToken cancellationToken)
    {
        if (source.Resource is { } now && now.Revision <= revision) return source.Spec;
        var then = await changes.History.AsOfAsync(source.Key, revision, cancellationToken);
        if (!then.TryGet(out var resource, out var fault) && fault is not null) return fault;
        return resource is null ? (SettingSpec?)null : SpecOf(resource);
    }

    private SettingSpec SpecOf(Resource whole) => SettingKind.Read(changes.Open(whole));

    // The groups that are named, and not those that they include: each setting has its own place.
    private static IEnumerable<string> NamesOf(Snapshot snapshot, string @namespace, IReadOnlyList<string>? groups) =>
        snapshot.Of(SettingKind.Name).Values
            .Where(one => one.Key.Namespace == @namespace)
            .Where(one => groups is not { Count: > 0 }
                || (SettingKind.Split(one.Key.Name) is var (group, _) && groups.Contains(group)))
            .Select(one => one.Key.Name);

    private static ResourceKey Key(string @namespace, string name) => new(SettingKind.Name, @namespace, name);
}

using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Releases;

namespace Groundwork.Services.Settings.Readers;

/// <summary>Whose a setting is, as of one snapshot: who asks for its group, may read it, and is there.</summary>
/// <param name="isRegistered">True for an instance of the registry: namespace, group, service and id.</param>
internal sealed class Audience(
    Snapshot snapshot,
    ReleasesInForce inForce,
    Authorizer authorizer,
    Func<string, string, string, string, bool>? isRegistered,
    DateTimeOffset now)
{
    // Most readers of a namespace ask for one of a few lists of groups.
    private readonly Dictionary<string, SelectedSettings> selections = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Principal?> principals = new(StringComparer.Ordinal);

    /// <summary>The version of a setting that is meant for a reader.</summary>
    public SettingVersion Choose(Resource setting, StoredReader reader) => inForce.Choose(setting, reader.Identity);

    /// <summary>The setting's own text and those of its releases.</summary>
    public HashSet<(long Revision, string Release)> VersionsOf(Resource setting) =>
        [
            (setting.Revision, ""),
            .. inForce.Of(setting.Key.Namespace, setting.Key.Name).Select(rule => (rule.Resource.Revision, rule.Name)),
        ];

    /// <summary>False for a reader that is silent and not registered; it is waited for no longer.</summary>
    /// <param name="at">The database's time at which the readers were read.</param>
    public bool IsLive(StoredReader reader, DateTimeOffset at)
    {
        if (at - reader.LastSeen < LiveReaders.Silence) return true;
        var (group, service) = ReaderIdentity.Split(reader.Key.Service);
        return isRegistered?.Invoke(reader.Key.Namespace, group, service, reader.Key.Instance) == true;
    }

    /// <summary>True when the setting is of a group that the reader asks for, or that one of those includes.</summary>
    public bool Asks(StoredReader reader, string setting) =>
        reader.Groups.Count == 0 || Selection(reader).SelectsName(setting);

    public bool MayRead(StoredReader reader, ResourceKey setting, bool secret)
    {
        if (FindPrincipal(reader.Principal) is not { } principal) return false;
        // Who calls over the local socket or is the process itself may do everything.
        if (!IsJudged(principal.Name)) return true;
        return authorizer.Allows(principal, Verb.Read, setting)
            && (!secret || authorizer.Allows(principal, Verb.ReadSecret, setting));
    }

    private SelectedSettings Selection(StoredReader reader)
    {
        var asked = string.Join('\n', reader.Groups);
        if (selections.TryGetValue(asked, out var known)) return known;
        return selections[asked] = new SettingSelection(reader.Key.Namespace, reader.Groups).At(snapshot);
    }

    private Principal? FindPrincipal(string name)
    {
        if (principals.TryGetValue(name, out var known)) return known;
        var stored = name == Principal.Anonymous.Name
            ? new Principal(name, [BuiltInRoles.AnonymousLoopback])
            : new Principal(name, []);
        return principals[name] = authorizer.Refresh(stored, now);
    }

    private static bool IsJudged(string principal) =>
        principal == Principal.Anonymous.Name
        || principal.StartsWith("key:", StringComparison.Ordinal)
        || principal.StartsWith("operator:", StringComparison.Ordinal);
}

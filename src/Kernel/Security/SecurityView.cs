using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Kernel.Resources;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Roles, operators and access keys of one snapshot in the form that calls ask for. Roles are frozen: every check looks
/// there. Keys and operators may be 100,000, and one changes at a time, so their tables share what has not changed.
/// </summary>
internal sealed record SecurityView(
    long Generation,
    FrozenDictionary<string, GrantSet> Roles,
    ImmutableDictionary<string, OperatorEntry> Operators,
    ImmutableDictionary<string, AccessKeyEntry> KeysByHash,
    ImmutableDictionary<string, AccessKeyEntry> KeysByName)
{
    public static SecurityView Empty { get; } = new(
        0,
        BuiltIn().ToFrozenDictionary(StringComparer.Ordinal),
        ImmutableDictionary.Create<string, OperatorEntry>(StringComparer.Ordinal),
        ImmutableDictionary.Create<string, AccessKeyEntry>(StringComparer.Ordinal),
        ImmutableDictionary.Create<string, AccessKeyEntry>(StringComparer.Ordinal));

    /// <summary>
    /// True in the view that stands in for one that could not be derived: everything is read anew as soon as it can.
    /// </summary>
    private bool IsClosed { get; init; }

    /// <summary>Knows nobody and no roles but the built-in ones.</summary>
    public static SecurityView Closed(long generation) => Empty with { Generation = generation, IsClosed = true };

    /// <summary>The view after a published group; this one when nothing of it changed.</summary>
    public SecurityView After(SnapshotChange change)
    {
        if (change.Before is null || IsClosed) return Load(change.After, Generation + 1);
        if (!change.Changes.Any(applied => SecurityKinds.Concerns(applied.Key.Kind))) return this;
        var operators = Operators.ToBuilder();
        var byHash = KeysByHash.ToBuilder();
        var byName = KeysByName.ToBuilder();
        foreach (var applied in change.Changes)
        {
            var name = applied.Key.Name;
            if (applied.Key.Kind == SecurityKinds.Operator.Name)
            {
                if (applied.After is { } resource) operators[name] = OperatorEntry.Of(resource);
                else operators.Remove(name);
            }
            else if (applied.Key.Kind == SecurityKinds.AccessKey.Name)
            {
                if (byName.Remove(name, out var before) && byHash.GetValueOrDefault(before.Hash)?.Name == name)
                    byHash.Remove(before.Hash);
                if (applied.After is { } resource) Add(AccessKeyEntry.Of(resource), byHash, byName);
            }
        }
        return new SecurityView(
            Generation + 1,
            change.Touches(SecurityKinds.Role.Name) ? CompileRoles(change.After) : Roles,
            operators.ToImmutable(),
            byHash.ToImmutable(),
            byName.ToImmutable());
    }

    private static SecurityView Load(Snapshot snapshot, long generation)
    {
        var operators = Empty.Operators.ToBuilder();
        var byHash = Empty.KeysByHash.ToBuilder();
        var byName = Empty.KeysByName.ToBuilder();
        foreach (var (key, resource) in snapshot.Of(SecurityKinds.Operator.Name))
            operators.Add(key.Name, OperatorEntry.Of(resource));
        foreach (var (_, resource) in snapshot.Of(SecurityKinds.AccessKey.Name).OrderBy(pair => pair.Value.Revision))
            Add(AccessKeyEntry.Of(resource), byHash, byName);
        return new SecurityView(
            generation, CompileRoles(snapshot), operators.ToImmutable(), byHash.ToImmutable(), byName.ToImmutable());
    }

    /// <summary>
    /// Of two keys with one hash the older stays: nobody can take over a key by writing its hash again.
    /// </summary>
    private static void Add(
        AccessKeyEntry entry,
        ImmutableDictionary<string, AccessKeyEntry>.Builder byHash,
        ImmutableDictionary<string, AccessKeyEntry>.Builder byName)
    {
        byName[entry.Name] = entry;
        byHash.TryAdd(entry.Hash, entry);
    }

    private static FrozenDictionary<string, GrantSet> CompileRoles(Snapshot snapshot)
    {
        var roles = BuiltIn();
        foreach (var (key, resource) in snapshot.Of(SecurityKinds.Role.Name))
            roles.TryAdd(key.Name, GrantSet.Of(resource.As<RoleSpec>().Grants));
        return roles.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static Dictionary<string, GrantSet> BuiltIn() => new(StringComparer.Ordinal)
    {
        [BuiltInRoles.Administrator] = GrantSet.Everything,
        [BuiltInRoles.Reader] = GrantSet.ReadEverything,
    };
}

/// <summary>An operator as authentication needs it.</summary>
/// <param name="Resource">Holds the encrypted hash.</param>
/// <param name="PasswordDigest">Changes with the password and with nothing else.</param>
internal sealed record OperatorEntry(Resource Resource, Principal Principal, string PasswordDigest, bool Disabled)
{
    public static OperatorEntry Of(Resource resource)
    {
        var spec = resource.As<OperatorSpec>();
        var principal = new Principal(PrincipalNames.OfOperator(resource.Key.Name), [.. spec.Roles]);
        return new OperatorEntry(resource, principal, spec.PasswordHash.Digest ?? "", spec.Disabled);
    }
}

/// <summary>An access key as authentication needs it.</summary>
internal sealed record AccessKeyEntry(string Name, string Hash, Principal Principal, DateTimeOffset? ExpiresAt)
{
    public static AccessKeyEntry Of(Resource resource)
    {
        var spec = resource.As<AccessKeySpec>();
        var principal = new Principal(PrincipalNames.OfKey(resource.Key.Name), [.. spec.Roles])
        {
            Own = GrantSet.Of(spec.Grants),
        };
        return new AccessKeyEntry(resource.Key.Name, spec.Hash, principal, spec.ExpiresAt);
    }
}

/// <summary>How the names of principals begin.</summary>
internal static class PrincipalNames
{
    public const string OperatorPrefix = "operator:";
    public const string KeyPrefix = "key:";
    public const string LocalPrefix = "local:";

    public static string OfOperator(string name) => OperatorPrefix + name;

    /// <summary>The operator that a principal is; null when it is none.</summary>
    public static string? OperatorOf(Principal principal) =>
        principal.Name.StartsWith(OperatorPrefix, StringComparison.Ordinal)
            ? principal.Name[OperatorPrefix.Length..]
            : null;

    public static string OfKey(string name) => KeyPrefix + name;

    public static string OfLocalUser(int userId) => $"{LocalPrefix}{userId}";
}

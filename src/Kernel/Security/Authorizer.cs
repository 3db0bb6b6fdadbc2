using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Security;

/// <summary>Decides every call: default deny, built-in roles first, other roles from the current snapshot.</summary>
public sealed class Authorizer
{
    private SecurityView view = SecurityView.Empty;
    private long revocations;

    /// <summary>
    /// Grows whenever roles, keys or operators change, so that long-lived filters know to ask <see cref="Refresh"/>.
    /// </summary>
    public long Generation => View.Generation + Interlocked.Read(ref revocations);

    internal SecurityView View => Volatile.Read(ref view);

    /// <summary>A sign-in was ended, which no snapshot tells.</summary>
    internal void NoteRevocation() => Interlocked.Increment(ref revocations);

    /// <summary>
    /// Takes roles, operators and access keys from a source. Until it is called only the built-in roles exist: the
    /// change log needs an authorizer before there is a snapshot.
    /// </summary>
    public IDisposable Follow(ISnapshotSource snapshots) => snapshots.Subscribe(change =>
    {
        // Only the publisher's thread writes; what it derives is there before the writers of the group are answered.
        try
        {
            Volatile.Write(ref view, view.After(change));
        }
        catch
        {
            // What was revoked with this group must not go on counting because the group cannot be understood: nobody
            // is known until the next one is, but the local user, who can mend it.
            Volatile.Write(ref view, SecurityView.Closed(view.Generation + 1));
            throw;
        }
    });

    /// <summary>
    /// Null when some role of the principal grants the verb on the resource; else the fault to answer with.
    /// </summary>
    public Fault? Authorize(Principal principal, Verb verb, ResourceKey target)
    {
        if (Allows(principal, verb, target)) return null;
        return principal.Name == Principal.Anonymous.Name
            ? new Fault(ErrorCodes.Unauthenticated, $"To {VerbNames.Of(verb)} {target} takes a credential.")
            : new Fault(ErrorCodes.Forbidden, $"{principal.Name} may not {VerbNames.Of(verb)} {target}.");
    }

    /// <summary>The same without a fault, for filtering lists and watches. Allocates nothing.</summary>
    public bool Allows(Principal principal, Verb verb, ResourceKey target)
    {
        if (principal.Own.Allows(verb, target)) return true;
        if (principal.Roles.IsDefaultOrEmpty) return false;
        var roles = View.Roles;
        foreach (var role in principal.Roles.AsSpan())
            if (roles.TryGetValue(role, out var grants) && grants.Allows(verb, target)) return true;
        return false;
    }

    /// <summary>Everything that the principal may do, role by role.</summary>
    internal IEnumerable<GrantDocument> GrantsOf(Principal principal) => principal.Own.Describe(role: null)
        .Concat(RolesOf(principal).SelectMany(role => role.Grants.Describe(role.Name)));

    /// <summary>The grants by which the principal may do this; none when it may not.</summary>
    internal IEnumerable<GrantDocument> Explain(Principal principal, Verb verb, ResourceKey target) =>
        principal.Own.Explain(role: null, verb, target)
            .Concat(RolesOf(principal).SelectMany(role => role.Grants.Explain(role.Name, verb, target)));

    /// <summary>
    /// The principal as of now, with the roles it holds now; the same object when nothing changed, null when its
    /// operator or access key is gone, disabled or expired. Long-lived calls ask when <see cref="Generation"/> has
    /// grown.
    /// </summary>
    public Principal? Refresh(Principal principal, DateTimeOffset now)
    {
        var current = View;
        if (principal.Name.StartsWith(PrincipalNames.OperatorPrefix, StringComparison.Ordinal))
        {
            return current.Operators.GetValueOrDefault(principal.Name[PrincipalNames.OperatorPrefix.Length..])
                is { Disabled: false } known ? known.Principal : null;
        }
        if (principal.Name.StartsWith(PrincipalNames.KeyPrefix, StringComparison.Ordinal))
        {
            return current.KeysByName.GetValueOrDefault(principal.Name[PrincipalNames.KeyPrefix.Length..]) is { } key
                && !(key.ExpiresAt <= now) ? key.Principal : null;
        }
        return principal;
    }

    /// <summary>
    /// The rule that nobody rises by writing: whoever writes or deletes a role, an operator or an access key must hold
    /// every permission that the resource carries, before and after. (Before, because a new password for an
    /// administrator makes one.) Null when it may, and for every other kind.
    /// </summary>
    /// <param name="after">All resources as the changeset leaves them; roles are looked up there.</param>
    /// <param name="before">The resource in place; null when it is created.</param>
    /// <param name="spec">The record to be written; null for a delete.</param>
    public Fault? MayGrant(Principal author, Snapshot after, ResourceKey key, Resource? before, object? spec)
    {
        if (!SecurityKinds.Concerns(key.Kind)) return null;
        if (spec is AccessKeySpec program && View.KeysByHash.GetValueOrDefault(program.Hash) is { } taken
            && taken.Name != key.Name)
        {
            return new Fault(ErrorCodes.ResourceInvalid, $"{key} has 1 fault.")
            {
                Fields = [new FieldFault("spec.hash", $"is the hash of the access key {taken.Name}")],
            };
        }
        var held = Held(author);
        if (held.Contains(GrantSet.Everything)) return null;
        var uncovered = FindUncovered(held, after, key, before is null ? null : Typed(before))
            ?? FindUncovered(held, after, key, spec);
        return uncovered is null
            ? null
            : new Fault(
                ErrorCodes.PrivilegeNotHeld,
                $"{author.Name} may not change {key}: it carries {uncovered}, which {author.Name} does not hold.");
    }

    private List<GrantSet> Held(Principal author) =>
        [author.Own, .. RolesOf(author).Select(role => role.Grants)];

    private IEnumerable<(string Name, GrantSet Grants)> RolesOf(Principal principal)
    {
        var roles = View.Roles;
        foreach (var role in principal.Roles.IsDefault ? [] : principal.Roles)
            if (roles.TryGetValue(role, out var grants)) yield return (role, grants);
    }

    private static object Typed(Resource resource) => resource.Key.Kind switch
    {
        var kind when kind == SecurityKinds.Role.Name => resource.As<RoleSpec>(),
        var kind when kind == SecurityKinds.Operator.Name => resource.As<OperatorSpec>(),
        _ => resource.As<AccessKeySpec>(),
    };

    private static string? FindUncovered(List<GrantSet> held, Snapshot after, ResourceKey key, object? spec) =>
        spec switch
    {
        RoleSpec role => GrantSet.Of(role.Grants).FindUncovered(held),
        OperatorSpec person => FindUncoveredRole(held, after, person.Roles),
        AccessKeySpec program =>
            FindUncoveredRole(held, after, program.Roles) ?? GrantSet.Of(program.Grants).FindUncovered(held),
        null => null,
        _ => throw new ArgumentException($"{key} has a spec of type {spec.GetType()}.", nameof(spec)),
    };

    private static string? FindUncoveredRole(List<GrantSet> held, Snapshot after, IReadOnlyList<string> roles)
    {
        foreach (var role in roles)
        {
            var grants = role switch
            {
                BuiltInRoles.Administrator => GrantSet.Everything,
                BuiltInRoles.Reader => GrantSet.ReadEverything,
                // A role that is gone carries nothing; the kind's own rules refuse one that is named and missing.
                _ => GrantSet.Of(after.Find(SecurityKinds.Role.Name, "", role)?.As<RoleSpec>().Grants),
            };
            if (grants.FindUncovered(held) is { } uncovered) return $"the role {role} with {uncovered}";
        }
        return null;
    }
}

using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue.Leases;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.KeyValue;

/// <summary>Who may do what with keys and leases. Each protocol finds out itself who calls, and asks here.</summary>
/// <param name="allows">Whether a principal may.</param>
/// <param name="audit">Takes refusals.</param>
internal sealed class KeyAccess(Func<Principal, Verb, ResourceKey, bool> allows, Action<AuditEvent> audit)
{
    /// <summary>What stands for keys in roles; their names are the keys themselves.</summary>
    public const string KeyKind = "kv-key";

    /// <summary>
    /// What stands for leases and sessions in roles; a session has its name, whatever has none is <c>-</c>.
    /// </summary>
    public const string LeaseKind = "kv-lease";

    private const string Nameless = "-";

    /// <summary>Reads of everything there is, which only a grant of all names allows.</summary>
    public static ResourceKey EveryLease { get; } = new(LeaseKind, Names.DefaultNamespace, "*");

    public static ResourceKey Target(KeyRange range) => new(KeyKind, Names.DefaultNamespace, range.ToGrantName());

    public static ResourceKey Target(byte[] key) => new(KeyKind, Names.DefaultNamespace, KeyRange.Text(key));

    public static ResourceKey Target(Lease lease) => LeaseNamed(lease.Name);

    public static ResourceKey LeaseNamed(string name) =>
        new(LeaseKind, Names.DefaultNamespace, name.Length == 0 ? Nameless : name);

    /// <summary>A credential that is not right: a protocol looks at it itself.</summary>
    public void NoteUnknown(HttpContext context, Fault fault) => audit(RefusedCall.OfNobody(context, fault));

    /// <summary>For filtering what is answered; a refusal is not an event.</summary>
    public bool Allows(Principal principal, Verb verb, ResourceKey target) => allows(principal, verb, target);

    /// <summary>True when the principal may; a refusal is in the audit trail then.</summary>
    public bool Check(HttpContext context, Principal principal, Verb verb, ResourceKey target)
    {
        if (allows(principal, verb, target)) return true;
        audit(new AuditEvent(
            principal.Name, "refused", $"{VerbNames.Of(verb)} {target}", ErrorCodes.Forbidden.Code,
            RequestAddress.Of(context)));
        return false;
    }

    /// <summary>
    /// The same of a lease that there is: who began it may do with it what he wants, unless he has no name of his own.
    /// </summary>
    public bool Check(HttpContext context, Principal principal, Verb verb, Lease lease) =>
        (lease.Principal == principal.Name && principal.Name != Principal.Anonymous.Name)
        || Check(context, principal, verb, Target(lease));
}

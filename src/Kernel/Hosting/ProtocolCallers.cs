using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// Finds out who makes a call of a protocol whose faults have a shape of their own: its endpoints look at the
/// credential themselves, so that no fault of ours is written before the protocol can word it. The credential that is
/// there must be right, and without one the loopback rule holds.
/// </summary>
public sealed class ProtocolCallers(Authenticator authenticator, Authorizer authorizer, Action<AuditEvent> audit)
{
    /// <summary>True for a caller without a credential to whom nothing is granted.</summary>
    public static bool IsNobody(HttpContext context) =>
        context.Principal() is { Roles.IsDefaultOrEmpty: true } caller && caller.Name == Principal.Anonymous.Name;

    /// <summary>
    /// Finds the principal, and makes it the request's; a call without a credential is anonymous, with what the
    /// loopback rule grants it.
    /// </summary>
    /// <param name="key">
    /// An access key that the protocol carries in a field of its own; null: <c>Authorization</c>.
    /// </param>
    /// <returns>
    /// The fault of a wrong credential, which is in the audit trail then; null when the caller is known.
    /// </returns>
    public async ValueTask<Fault?> IdentifyAsync(HttpContext context, string? key = null)
    {
        var asked = string.IsNullOrEmpty(key)
            ? await authenticator.AuthenticateAsync(context)
            : authenticator.AuthenticateKey(key, RequestAddress.Of(context));
        if (!asked.TryGet(out var principal, out var fault)) return Refuse(context, Principal.Anonymous, fault);
        context.Features.Set(principal);
        return null;
    }

    /// <summary>The same where nobody is refused: the caller, or why there is none.</summary>
    public async ValueTask<Outcome<Principal>> AskAsync(HttpContext context)
    {
        if (await IdentifyAsync(context) is { } fault) return fault;
        if (!IsNobody(context)) return context.Principal();
        return Refuse(context, Principal.Anonymous, new Fault(
            ErrorCodes.Unauthenticated,
            "Send an access key or a password as Authorization: Basic, or an access key as Bearer."));
    }

    /// <summary>Null when the caller may; else the fault, which is in the audit trail then.</summary>
    public Fault? Check(HttpContext context, Verb verb, ResourceKey target)
    {
        var fault = authorizer.Authorize(context.Principal(), verb, target);
        return fault is null ? null : Refuse(context, context.Principal(), fault);
    }

    /// <summary>
    /// The fault, which is in the audit trail now. Its target is the path: a query may hold a secret.
    /// </summary>
    public Fault Refuse(HttpContext context, Principal principal, Fault fault)
    {
        audit(RefusedCall.Of(context, principal, context.Request.Path.Value ?? "", fault));
        return fault;
    }
}

using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings.Protocols;

/// <summary>
/// Who calls over a protocol of others, for endpoints that refuse in their protocol's own shape: the credential that is
/// there must be right, and without one the loopback rule holds.
/// </summary>
internal sealed class ProtocolCallers(Authenticator authenticator, Authorizer authorizer, AuditLog? audit)
{
    /// <summary>
    /// The caller, also as <see cref="EndpointPermissions.Principal"/> from now on; or why it is refused.
    /// </summary>
    public async ValueTask<Outcome<Principal>> AskAsync(HttpContext context)
    {
        var asked = await authenticator.AuthenticateAsync(context);
        if (!asked.TryGet(out var principal, out var fault)) return Refuse(context, Principal.Anonymous, fault);
        if (principal.Name == Principal.Anonymous.Name && principal.Roles.IsDefaultOrEmpty)
        {
            return Refuse(context, principal, new Fault(
                ErrorCodes.Unauthenticated,
                "Send an access key or a password as Authorization: Basic, or an access key as Bearer."));
        }
        context.Features.Set(principal);
        return principal;
    }

    /// <summary>Null when the caller may; else the fault, which is in the audit trail then.</summary>
    public Fault? Check(HttpContext context, Verb verb, Kernel.Resources.ResourceKey target)
    {
        var fault = authorizer.Authorize(context.Principal(), verb, target);
        return fault is null ? null : Refuse(context, context.Principal(), fault);
    }

    /// <summary>
    /// The fault, which is in the audit trail now. Its target is the path: a query may hold a secret.
    /// </summary>
    public Fault Refuse(HttpContext context, Principal principal, Fault fault)
    {
        audit?.Append(new AuditEvent(
            principal.Name, "refused", context.Request.Path.Value ?? "", fault.Error.Code, RequestAddress.Of(context),
            context.Request.Method));
        return fault;
    }

    /// <summary>Notes that a secret was read.</summary>
    public void NoteSecret(SettingCaller caller, Kernel.Resources.ResourceKey target) =>
        audit?.Append(new AuditEvent(
            caller.Principal.Name, "secret-read", target.ToString(), AuditLog.Ok, caller.Address));
}

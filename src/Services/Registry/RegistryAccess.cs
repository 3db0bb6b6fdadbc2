using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Registry;

/// <summary>
/// Who may do what with instances, for calls whose body or query names them: the endpoint's own permission cannot know.
/// </summary>
/// <param name="authorize">Null when the principal may; else the fault to answer with.</param>
/// <param name="allows">The same without a fault, which costs something to word.</param>
/// <param name="refresh">The principal as of now; null when it is no longer one.</param>
/// <param name="audit">Takes refusals.</param>
internal sealed class RegistryAccess(
    Func<Principal, Verb, ResourceKey, Fault?> authorize,
    Func<Principal, Verb, ResourceKey, bool> allows,
    Func<HttpContext, Func<ValueTask<Principal?>>> refresh,
    Action<AuditEvent> audit)
{
    /// <summary>What stands for instances and services in roles.</summary>
    public const string Kind = "instance";

    /// <summary>The target of a permission on one instance: <c>group/service/id</c>.</summary>
    public static ResourceKey Target(InstanceKey key) =>
        new(Kind, key.Service.Namespace, $"{key.Service.Group}/{key.Service.Service}/{key.Id}");

    /// <summary>The target of a permission on a whole service: what the grant <c>group/service/*</c> matches.</summary>
    public static ResourceKey Target(ServiceKey key) =>
        new(Kind, key.Namespace, $"{key.Group}/{key.Service}{Grant.PrefixEnd}");

    /// <summary>Null when the caller may; else the fault, which is in the audit trail then.</summary>
    public Fault? Check(HttpContext context, Verb verb, ResourceKey target)
    {
        var principal = context.Principal();
        var fault = authorize(principal, verb, target);
        if (fault is not null)
            audit(new AuditEvent(
                principal.Name, "refused", $"{verb} {target}", fault.Error.Code,
                    RequestAddress.Of(context)));
        return fault;
    }

    /// <summary>For filtering what is answered; a refusal is not an event.</summary>
    public bool Allows(Principal principal, Verb verb, ResourceKey target) => allows(principal, verb, target);

    /// <summary>
    /// The instance that a call comes from, as <c>Groundwork-Caller</c> names it; null when it names none, or one that
    /// the caller may not renew: whoever could take another's name could hide behind it.
    /// </summary>
    public InstanceKey? CallerOf(HttpContext context) =>
        CallerOf(context.Principal(), context.Request.Headers[HeaderNames.Caller].ToString());

    /// <inheritdoc cref="CallerOf(HttpContext)"/>
    /// <param name="claim"><c>namespace/service/id</c>; empty or null: none.</param>
    public InstanceKey? CallerOf(Principal principal, string? claim) =>
        InstanceKey.TryParse(claim, out var key) && Allows(principal, Verb.Renew, Target(key.Value)) ? key : null;

    /// <summary>Whose watch it is: an instance, else the principal.</summary>
    public string WatcherName(HttpContext context) => CallerOf(context)?.ToString() ?? context.Principal().Name;

    /// <summary>
    /// Asks for the caller of a long answer as of now; null when its key, sign-in or operator is gone.
    /// </summary>
    public Func<ValueTask<Principal?>> Lasting(HttpContext context) => refresh(context);
}

using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>What the audit trail gets to know of a call that was refused.</summary>
public static class RefusedCall
{
    /// <summary>What the event says has happened.</summary>
    public const string Action = "refused";

    /// <summary>A call whose credential proves nobody.</summary>
    /// <param name="target">What it asked for; null: the path, never the query, which may hold a secret.</param>
    public static AuditEvent OfNobody(HttpContext context, Fault fault, string? target = null) =>
        Of(context, Principal.Anonymous, target ?? context.Request.Path.Value ?? "", fault);

    public static AuditEvent Of(HttpContext context, Principal principal, string target, Fault fault) => new(
        principal.Name, Action, target, fault.Error.Code, RequestAddress.Of(context), context.Request.Method);
}

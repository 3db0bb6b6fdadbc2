using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>What the pipeline of a listener asks of the rest of the kernel.</summary>
/// <param name="Authenticate">
/// Who calls. A call without a credential is <see cref="Principal.Anonymous"/> (with roles where those are granted to
/// it); a wrong credential is a fault.
/// </param>
/// <param name="Authorize">Null when the principal may; else the fault to answer with.</param>
/// <param name="Audit">Takes refusals.</param>
/// <param name="Revision">The revision in force.</param>
public sealed record RequestGuards(
    Func<HttpContext, ValueTask<Outcome<Principal>>> Authenticate,
    Func<Principal, Verb, ResourceKey, Fault?> Authorize,
    Action<AuditEvent> Audit,
    Func<long> Revision);

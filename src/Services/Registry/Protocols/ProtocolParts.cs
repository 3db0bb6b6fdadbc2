using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry.Explaining;
using Groundwork.Services.Registry.Storing;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Protocols;

/// <summary>What the registry gives to a protocol of others, which has nothing of its own.</summary>
/// <param name="LiveNodes">Names of the nodes whose leases are good, this one included.</param>
/// <param name="Stopping">Ends when the listeners begin to close: whatever waits is answered then.</param>
internal sealed record ProtocolParts(
    InstanceRegistry Registry,
    Registrations Registrations,
    InstanceRules Rules,
    RegistryAccess Access,
    RefusedClaims Refused,
    StoreSync Sync,
    ProtocolCallers Callers,
    Func<IReadOnlySet<string>> LiveNodes,
    TimeProvider Time,
    ILoggerFactory Logs,
    CancellationToken Stopping);

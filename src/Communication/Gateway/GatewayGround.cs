using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway;

/// <summary>What the gateway stands on: what a node gives it, or a test.</summary>
/// <param name="Time">The clock by which instances are waited for.</param>
/// <param name="ClientTime">The clock by which clients are.</param>
internal sealed record GatewayGround(
    Listeners Listeners, ISnapshotSource Snapshots, TimeProvider Time, TimeProvider ClientTime, ILoggerFactory Logs)
{
    /// <summary>Signs sticky cookies, and what services are told about callers.</summary>
    public ReadOnlyMemory<byte> SessionKey { get; init; }

    /// <summary>Opens what is secret in a resource, here or at the node that is followed.</summary>
    public OpenSpec OpenSpec { get; init; } = SecretSource.Plain;

    /// <summary>Who holds an access key, asked with the address it comes from; nobody where none are known.</summary>
    public Func<string, string?, Outcome<Principal>> Authenticate { get; init; } =
        static (_, _) => new Fault(ErrorCodes.Unauthenticated, "This gateway knows no access keys.");

    /// <summary>What nodes of one store count together; null: each by itself.</summary>
    public SharedCounters? Counters { get; init; }
}

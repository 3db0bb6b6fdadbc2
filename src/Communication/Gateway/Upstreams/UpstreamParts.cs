using System.Net;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Upstreams;

/// <summary>What upstreams need of the node.</summary>
/// <param name="Explain">Why an address may not be called; null when it may.</param>
/// <param name="LookUp">The addresses of a name.</param>
/// <param name="SessionKey">Signs sticky cookies; the same on all nodes of a store.</param>
internal sealed record UpstreamParts(
    Func<IPAddress, int, string?> Explain,
    Func<string, CancellationToken, Task<IPAddress[]>> LookUp,
    ReadOnlyMemory<byte> SessionKey,
    TimeProvider Time,
    ILogger Logger)
{
    /// <summary>Authorities, and what the gateway shows; null where there are none.</summary>
    public Certificates.CertificateTable? Certificates { get; init; }
}

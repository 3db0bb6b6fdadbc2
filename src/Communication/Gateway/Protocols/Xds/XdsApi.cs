using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Rpc;
using Groundwork.Services.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>
/// The discovery service of Envoy's API, version 3: services by their names, over one stream for all types.
/// </summary>
internal sealed class XdsApi(
    IRegistryView registry, XdsHosts hosts, XdsCallers callers, XdsStreams streams, TimeProvider time,
    ILoggerFactory logs)
{
    public const string Path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

    /// <summary>Why the listener does not look at credentials.</summary>
    private const string Why = "the credential may come with the first message, and refusals are statuses of gRPC";

    private readonly ILogger logger = logs.CreateLogger<XdsApi>();

    public void Map(IEndpointRouteBuilder endpoints) => endpoints
        .MapPost(Path, GrpcCall.Handle(ServeAsync, XdsLimits.MaxMessageBytes, logger))
        .LimitsBody(GrpcCall.MaxStreamBytes)
        .AllowsAnyone(Why);

    private Task ServeAsync(GrpcCall call) =>
        new XdsStream(call, registry, hosts, callers, streams, time, logger).RunAsync();
}

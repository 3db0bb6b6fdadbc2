using System.Net;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Transforms;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// What is remembered of a request that is over, to be explained when somebody asks. The head is kept as it came, since
/// only that tells why other routes did not take it; what is told of it is masked by whoever tells.
/// </summary>
internal sealed record RecordedRequest
{
    /// <summary>The gateway's own span of it.</summary>
    public required string Id { get; init; }

    public required string TraceId { get; init; }

    /// <summary>The client's span; empty where it has none.</summary>
    public required string CallerId { get; init; }

    public required bool IsSampled { get; init; }

    /// <summary>When it came.</summary>
    public required DateTimeOffset At { get; init; }

    public required long Micros { get; init; }

    public required int Status { get; init; }

    public required string? Code { get; init; }

    public required long BytesIn { get; init; }

    public required long BytesOut { get; init; }

    public required int Attempts { get; init; }

    public required IPAddress? Client { get; init; }

    /// <summary>Null where none took it.</summary>
    public required Route? Route { get; init; }

    /// <summary>The routes among which it was looked for; null when it came to no search.</summary>
    public required RouteTable? Table { get; init; }

    public required long Revision { get; init; }

    public required string? Instance { get; init; }

    public required Transformed? Transformed { get; init; }

    /// <summary>The head as it came; empty when it was none, or too long to be kept.</summary>
    public required byte[] Head { get; init; }

    public required string Method { get; init; }

    public required string Host { get; init; }

    public required string Path { get; init; }

    public required Decision[] Decisions { get; init; }

    /// <summary>About what it holds in memory.</summary>
    public int Bytes => 512 + Head.Length + (2 * (Path.Length + Host.Length)) + (40 * Decisions.Length);
}

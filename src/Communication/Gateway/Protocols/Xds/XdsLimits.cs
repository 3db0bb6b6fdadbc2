using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>What clients of the discovery service may hold here, and how often they hear of changes.</summary>
internal static class XdsLimits
{
    /// <summary>Bytes of a request: its names, and what a client says of itself.</summary>
    public const int MaxMessageBytes = 1024 * 1024;

    /// <summary>Names of one type on one stream; a client of gRPC has one for each of its channels.</summary>
    public const int MaxNames = 1_000;

    /// <summary>
    /// Characters of a name: those of a namespace, a group and a service, and what is between them, some escaped.
    /// </summary>
    public const int MaxNameLength = Names.MaxNamespaceLength + 2 * Names.MaxSegmentLength + 64;

    /// <summary>Streams of a node; a program has one.</summary>
    public const int MaxStreams = 5_000;

    /// <summary>Names over all streams and types of a node.</summary>
    public const int MaxNamesOfAll = 200_000;

    /// <summary>
    /// Bytes of resources in one answer, one resource at the least: clients of gRPC refuse more than 4 MiB.
    /// </summary>
    public const int AnswerBytes = 2 * 1024 * 1024;

    /// <summary>Characters that are logged of what a client says.</summary>
    public const int MaxWords = 300;

    /// <summary>
    /// Between two looks at what the streams have been sent: a tenth of what an operator would notice. A look is a
    /// comparison of references for each name, so that a thousand streams cost nothing beside one call.
    /// </summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// For the first request, which says who asks: until then a stream has a place that anybody could take.
    /// </summary>
    public static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(5);

    /// <summary>A credential that ends by itself is noticed after this.</summary>
    public static readonly TimeSpan CallerInterval = TimeSpan.FromSeconds(15);
}

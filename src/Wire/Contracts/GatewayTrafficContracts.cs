namespace Groundwork.Wire.Contracts;

/// <summary>Requests that a node of the gateway remembers, the newest first.</summary>
/// <param name="Node">Each node remembers its own.</param>
/// <param name="Kept">How many it remembers in all.</param>
/// <param name="NotKept">How many it has counted and not kept since it started.</param>
public sealed record GatewayRequestList(
    string Node, int Kept, long NotKept, IReadOnlyList<GatewayRequestSummary> Requests);

/// <summary>One request that is over.</summary>
/// <param name="Id">The gateway's own span, 16 hexadecimal digits: <c>Groundwork-Request-Id</c> of the answer.</param>
/// <param name="Route"><c>namespace/name</c>; absent where no route took it.</param>
/// <param name="Status">499 where the client had gone before an answer began.</param>
/// <param name="Code">What went wrong; absent where nothing did.</param>
/// <param name="Instance">That of the last attempt.</param>
public sealed record GatewayRequestSummary(
    string Id,
    string TraceId,
    DateTimeOffset At,
    string Method,
    string Host,
    string Path,
    int Status,
    double Ms,
    int Attempts,
    string? Code = null,
    string? Route = null,
    string? Instance = null);

/// <summary>Why a request went where it went.</summary>
/// <param name="Summary">One sentence.</param>
/// <param name="ParentId">The client's span; absent where it has none.</param>
/// <param name="Revision">The revision in force when its route was looked for.</param>
/// <param name="Fields">Its header fields; values that may be secrets are masked.</param>
/// <param name="Query">The names of its parameters.</param>
/// <param name="Routes">The routes of its host that the caller may read, at most 50: the one that took it first, then
/// those that came nearest.</param>
/// <param name="Changes">What was changed on its way.</param>
/// <param name="Decisions">What was decided about it, in order.</param>
/// <param name="Siblings">Ids of other requests of the same trace that this node remembers.</param>
public sealed record GatewayRequestExplanation(
    string Node,
    GatewayRequestSummary Request,
    string Summary,
    bool Sampled,
    long BytesIn,
    long BytesOut,
    long Revision,
    IReadOnlyList<GatewayRequestField> Fields,
    IReadOnlyList<string> Query,
    IReadOnlyList<GatewayRouteVerdict> Routes,
    IReadOnlyList<string> Changes,
    IReadOnlyList<GatewayDecision> Decisions,
    IReadOnlyList<string> Siblings,
    string? ParentId = null,
    string? Client = null);

/// <summary>A header field of a request.</summary>
/// <param name="Value">Absent where it is masked.</param>
public sealed record GatewayRequestField(string Name, string? Value = null);

/// <summary>Whether a route took a request.</summary>
/// <param name="Verdict">For programs: <c>taken</c>, <c>after</c> (it would have, had another not gone first),
/// <c>condition</c>, <c>method</c> or <c>path</c> (what it lacked).</param>
/// <param name="Text">For people.</param>
public sealed record GatewayRouteVerdict(string Namespace, string Name, string Verdict, string Text);

/// <summary>Something that was decided about a request.</summary>
/// <param name="Stage">Such as <c>match</c>, <c>limit</c> or <c>attempt</c>.</param>
/// <param name="What">Such as <c>allowed</c>.</param>
/// <param name="About">Such as an instance.</param>
/// <param name="AtMs">Since the request began.</param>
public sealed record GatewayDecision(string Stage, string What, double AtMs, string? About = null);

/// <summary>What went through a node of the gateway lately.</summary>
/// <param name="Seconds">Over so long; 0 when the node has just begun to look.</param>
/// <param name="UnderWay">Requests whose answer has not ended.</param>
/// <param name="Connections">Connections of clients that speak HTTP/1.</param>
public sealed record GatewayTraffic(
    string Node,
    double Seconds,
    int UnderWay,
    int Connections,
    GatewayTrafficRow Total,
    IReadOnlyList<GatewayTrafficRow> Routes,
    IReadOnlyList<GatewayTrafficRow> Upstreams);

/// <summary>What went through one route, or to one upstream, lately.</summary>
/// <param name="Name">Empty for requests that no route took, and for the total.</param>
/// <param name="PerSecond">Requests, or calls.</param>
/// <param name="ErrorsPerSecond">Those answered with 5xx, or calls without an answer.</param>
/// <param name="P50Ms">The time that half of them stayed below, as near as buckets tell; absent when there were
/// none.</param>
public sealed record GatewayTrafficRow(
    string Name,
    double PerSecond,
    double ErrorsPerSecond,
    double BytesOutPerSecond,
    double? P50Ms = null,
    double? P99Ms = null);

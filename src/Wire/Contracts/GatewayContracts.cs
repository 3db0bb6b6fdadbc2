namespace Groundwork.Wire.Contracts;

/// <summary>What a route takes and where it sends it, and which others want the same requests.</summary>
/// <param name="Summary">One sentence.</param>
/// <param name="Takes">Which requests, in words.</param>
/// <param name="Targets">Where they go: services, upstreams, or the gateway's own answer.</param>
/// <param name="OverlapCount">How many other routes want some of its requests.</param>
/// <param name="Overlaps">Those that the caller may read, at most 100, those to look at first.</param>
public sealed record RouteExplanation(
    string Namespace,
    string Name,
    string Summary,
    string Takes,
    IReadOnlyList<string> Targets,
    int OverlapCount,
    IReadOnlyList<RouteOverlap> Overlaps);

/// <summary>Another route that wants some of the same requests.</summary>
/// <param name="Relation">For programs: <c>covers</c> (takes all of this route's), <c>covered</c> (this route takes all
/// of its), <c>even</c> (only the names decide), <c>before</c> or <c>after</c>.</param>
/// <param name="Takes">Which requests it takes, in words.</param>
/// <param name="Text">For people.</param>
public sealed record RouteOverlap(string Namespace, string Name, string Relation, string Takes, string Text);


/// <summary>What became of the requests of one cached route on one node, since that began.</summary>
/// <param name="Route"><c>namespace/name</c>.</param>
/// <param name="Hits">Answered from what is kept, while it was fresh.</param>
/// <param name="Stale">Answered from what is kept, after its time.</param>
/// <param name="Collapsed">Hits that waited for another request's answer.</param>
/// <param name="Misses">The origin was asked.</param>
/// <param name="Revalidated">Misses of which the origin said that what is kept still holds.</param>
/// <param name="Bypassed">Passed by the cache: credentials, other methods, conditions for the origin.</param>
/// <param name="HitRatio">Hits and stale ones of all but those that passed it by; 0 to 1.</param>
/// <param name="BytesKept">Bytes of bodies that were given from what is kept.</param>
/// <param name="BytesFetched">Bytes of bodies that came from the origin.</param>
/// <param name="TopOrigin">For what the origin is asked most, the first 10; paths with their queries.</param>
/// <param name="Answers">Answers that are kept now.</param>
/// <param name="AnswerBytes">Bytes that they take.</param>
public sealed record CachedRoute(
    string Route, long Hits, long Stale, long Collapsed, long Misses, long Revalidated, long Bypassed, double HitRatio,
    long BytesKept, long BytesFetched, IReadOnlyList<OriginAddress> TopOrigin, int Answers = 0,
    long AnswerBytes = 0)
{
    /// <summary>Addresses that are told.</summary>
    public const int MaxTop = 10;
}

/// <summary>How often the origin was asked for something.</summary>
public sealed record OriginAddress(string Address, long Requests);

/// <summary>The cached routes of one node, those that the caller may read.</summary>
/// <param name="Answers">Answers that are kept, of all routes.</param>
/// <param name="Bytes">Bytes that they take.</param>
/// <param name="Evictions">Answers that others have displaced, since the node began.</param>
/// <param name="MaxBytes">Bytes that they may take.</param>
/// <param name="Waiting">Requests that wait for another's answer.</param>
public sealed record CachedRoutes(
    int Answers, long Bytes, long Evictions, IReadOnlyList<CachedRoute> Routes, long MaxBytes = 0, int Waiting = 0);

/// <summary>Which kept answers are to be forgotten; all that is said must hold.</summary>
public sealed record PurgeRequest(
    string? Route = null, string? Host = null, string? Path = null, string? Prefix = null, string? Tag = null);

/// <summary>What is to be fetched before anybody asks for it.</summary>
/// <param name="Host">Of the route, with its port where clients use one.</param>
/// <param name="Paths">Paths with their queries, 1 to 1,000.</param>
/// <param name="Secure">False: what is kept for clients without TLS.</param>
public sealed record PrefetchRequest(string Host, IReadOnlyList<string> Paths, bool Secure = true);

/// <summary>What became of each.</summary>
public sealed record PrefetchAnswer(IReadOnlyList<PrefetchedPath> Paths);

/// <param name="Status">0: it could not be asked for, as it is not of the route.</param>
/// <param name="CacheStatus">How it came; it is kept where that ends in <c>stored</c>.</param>
public sealed record PrefetchedPath(string Path, int Status, string? CacheStatus);

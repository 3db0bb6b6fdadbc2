namespace Groundwork.Wire.Contracts;

/// <summary>What a node of the gateway holds back, and why: each node keeps its own.</summary>
/// <param name="UpstreamCount">Services and upstreams that routes lead to and the question is about.</param>
/// <param name="Upstreams">Those that the caller may see: first the ones with an open breaker, instances that are out,
/// or no place left.</param>
/// <param name="LimitCount">Limits that the question is about.</param>
/// <param name="Limits">Those of routes and listeners that the caller may read: first the ones that refused most.
/// </param>
/// <param name="Process">For who may read the node's figures.</param>
public sealed record GatewayState(
    string Node,
    DateTimeOffset At,
    int UpstreamCount,
    IReadOnlyList<GatewayUpstreamState> Upstreams,
    int LimitCount,
    IReadOnlyList<GatewayLimitState> Limits,
    CachedRoutes Cache,
    GatewayProcessState? Process = null);

/// <summary>One service or upstream, all its instances together.</summary>
/// <param name="Name">As in the figures: <c>namespace/service</c>, or <c>upstream namespace/name</c>.</param>
/// <param name="Kind"><c>service</c> or <c>upstream</c>.</param>
/// <param name="Routes">Routes that lead there and that the caller may read, the first 20.</param>
/// <param name="OutCount">Instances that are left out.</param>
/// <param name="Instances">The first 50, those that are out before the others; none before the first call.</param>
/// <param name="Breaker">Absent where it has none.</param>
/// <param name="Places">Absent where requests under way are not bounded.</param>
public sealed record GatewayUpstreamState(
    string Name,
    string Kind,
    IReadOnlyList<string> Routes,
    int InstanceCount,
    int OutCount,
    IReadOnlyList<GatewayInstanceState> Instances,
    GatewayBudgetState Budget,
    GatewayBreakerState? Breaker = null,
    GatewayPlacesState? Places = null);

/// <summary>One instance as this node of the gateway sees it.</summary>
/// <param name="Standing"><c>in</c>; <c>suspect</c> (its last call failed), <c>silent</c> (it owes answers), <c>out</c>
/// (left out) or <c>trial</c> (one request finds out).</param>
/// <param name="LatencyMs">How long it took of late to begin an answer.</param>
/// <param name="OutUntil">While it is out.</param>
public sealed record GatewayInstanceState(
    string Id,
    string Address,
    string Standing,
    int UnderWay,
    double? LatencyMs = null,
    DateTimeOffset? OutUntil = null);

/// <summary>A circuit breaker.</summary>
/// <param name="State"><c>closed</c>, <c>open</c> or <c>half-open</c>.</param>
/// <param name="Since">When it came into that state.</param>
/// <param name="Calls">In its window; 0 while it is not closed.</param>
/// <param name="ErrorPercent">Of those calls; absent where there were none.</param>
/// <param name="OpensAtErrorPercent">With so many it opens, once there are <paramref name="MinimumCalls"/>.</param>
/// <param name="Opened">How often it has opened.</param>
/// <param name="Refused">Requests that it has refused.</param>
/// <param name="Probes">Calls that find out whether all is well.</param>
/// <param name="ProbesUnderWay">Of those, while it is half open.</param>
/// <param name="ProbesWell">Of those the ones that were well.</param>
/// <param name="SlowPercent">Absent where no answer counts as slow, or there were no calls.</param>
/// <param name="NextProbe">While it is open: the first request after this finds out.</param>
public sealed record GatewayBreakerState(
    string State,
    DateTimeOffset Since,
    long Calls,
    long Failures,
    long Slow,
    int MinimumCalls,
    int WindowSeconds,
    int OpensAtErrorPercent,
    long Opened,
    long Refused,
    int Probes,
    int ProbesUnderWay,
    int ProbesWell,
    double? ErrorPercent = null,
    double? SlowPercent = null,
    int? SlowMs = null,
    int? OpensAtSlowPercent = null,
    DateTimeOffset? NextProbe = null);

/// <summary>How many requests may be under way at an upstream.</summary>
/// <param name="Kind"><c>bulkhead</c>, <c>adaptive</c> or <c>both</c>.</param>
/// <param name="Limit">That holds now.</param>
/// <param name="Refused">Requests that got no place, be it after a wait.</param>
/// <param name="UnloadedMs">What answers take without a queue, as the adaptive limit has measured.</param>
/// <param name="Measuring">True while the adaptive limit measures that, and calls less.</param>
public sealed record GatewayPlacesState(
    string Kind,
    int Limit,
    int UnderWay,
    int Waiting,
    int MaxWaiting,
    long Refused,
    int? MaxUnderWay = null,
    int? Least = null,
    int? Most = null,
    double? UnloadedMs = null,
    bool? Measuring = null);

/// <summary>How many requests may be sent once more.</summary>
/// <param name="Calls">Requests in the last seconds.</param>
/// <param name="Taken">Of further tries in them.</param>
/// <param name="Left">Further tries that may be made now.</param>
/// <param name="Refused">Further tries that were not made since the budget has its words.</param>
public sealed record GatewayBudgetState(
    int Percent, int MinPerSecond, int WindowSeconds, long Calls, long Taken, long Left, long Refused);

/// <summary>One limit of a route or of a listener.</summary>
/// <param name="Owner"><c>namespace/name</c> of the route, or the name of the listener.</param>
/// <param name="OwnerKind"><c>route</c> or <c>gateway-listener</c>.</param>
/// <param name="Kind"><c>bucket</c>, <c>window</c>, <c>pace</c> or <c>concurrent</c>.</param>
/// <param name="By">What tells callers apart; empty: one limit is for all.</param>
/// <param name="Keys">Callers that are remembered.</param>
/// <param name="Allowed">Since the limit has its words.</param>
/// <param name="Waiting">Requests that wait for their turn.</param>
/// <param name="Shared">True when the requests of other nodes count.</param>
/// <param name="FromOthers">Requests of the callers that are remembered, which other nodes have let pass.</param>
/// <param name="Parts">Among how many nodes the limit is parted, since they do not hear of each other; 1 while they do.
/// </param>
/// <param name="Hottest">Callers that have used most of what they may.</param>
public sealed record GatewayLimitState(
    string Owner,
    string OwnerKind,
    string Name,
    string Kind,
    int Requests,
    IReadOnlyList<string> By,
    int Keys,
    int MaxKeys,
    long Allowed,
    long Refused,
    int Waiting,
    bool Shared,
    long FromOthers,
    int Parts,
    IReadOnlyList<GatewayLimitCaller> Hottest,
    int? Seconds = null,
    int? Burst = null);

/// <summary>One caller of a limit.</summary>
/// <param name="Key">Empty where one limit is for all.</param>
/// <param name="Allowed">Since there has been something to remember of it.</param>
/// <param name="FromOthers">What other nodes have let pass of it.</param>
/// <param name="Quota">How many may come at once; 0: none ever.</param>
/// <param name="Left">How many of them are left.</param>
/// <param name="ResetMs">Until all are.</param>
public sealed record GatewayLimitCaller(
    IReadOnlyList<GatewayLimitKeyPart> Key,
    long Allowed,
    long Refused,
    long FromOthers,
    long Quota,
    long Left,
    double ResetMs);

/// <summary>One part of what tells callers apart.</summary>
/// <param name="By">Such as <c>client</c> or <c>header:X-Team</c>.</param>
/// <param name="Value">Absent where the request has none, or it may be a secret.</param>
/// <param name="Digest">In the place of what may be a secret, or is long: the same while the node runs.</param>
public sealed record GatewayLimitKeyPart(string By, string? Value = null, string? Digest = null);

/// <summary>What the process as a whole holds back.</summary>
/// <param name="ThreadWaitMs">How long work waits for a thread: the shortest time of the last second.</param>
/// <param name="Draining">True while it stops.</param>
/// <param name="Guard">What is refused when there is too much, by importance.</param>
public sealed record GatewayProcessState(
    int UnderWay,
    int MaxUnderWay,
    double ThreadWaitMs,
    double MaxThreadWaitMs,
    bool Draining,
    IReadOnlyList<GatewayGuardState> Guard,
    IReadOnlyList<GatewayListenerState> Listeners,
    GatewayMirrorState Mirrors);

/// <summary>Requests of one importance.</summary>
/// <param name="Importance"><c>low</c>, <c>normal</c> or <c>critical</c>.</param>
/// <param name="Refused">Because the process had too much to do.</param>
/// <param name="Refuses">True while it refuses them.</param>
public sealed record GatewayGuardState(string Importance, long Refused, bool Refuses);

/// <summary>A listener of this node's gateway.</summary>
/// <param name="MaxConnections">Absent: as many as the server takes.</param>
public sealed record GatewayListenerState(string Name, int Connections, int? MaxConnections = null);

/// <summary>Copies of requests.</summary>
/// <param name="Dropped">Not sent: too many waited, their body was too large, or there was no instance.</param>
public sealed record GatewayMirrorState(long Sent, long Failed, long Dropped, int Waiting, long WaitingBytes);

namespace Groundwork.Wire.Contracts;

/// <summary>A request that nobody sends, and what is to be tried with it.</summary>
/// <param name="Draft">Changes of routes, upstreams and listeners that are not made, at most 100; none: what is in
/// force alone.</param>
public sealed record DryRunRequest(DryRunHead Request, IReadOnlyList<ChangeDocument>? Draft = null);

/// <summary>The head of a request that nobody sends.</summary>
/// <param name="Host">As a client names it, with its port where it has one.</param>
/// <param name="Path">With its query.</param>
/// <param name="Client">The address of who sends it; this machine's when not given.</param>
/// <param name="Secure">True: over the listener of HTTPS.</param>
public sealed record DryRunHead(
    string Host,
    string Path = "/",
    string Method = "GET",
    IReadOnlyList<GatewayRequestField>? Headers = null,
    string? Client = null,
    bool Secure = false);

/// <summary>Where a request would go.</summary>
/// <param name="Revision">The revision in force.</param>
/// <param name="Drafted">Where it would go with the draft; absent without one.</param>
public sealed record DryRunAnswer(string Node, long Revision, DryRunRouting InForce, DryRunRouting? Drafted = null);

/// <summary>What the gateway would make of a request, as far as routes, upstreams and listeners decide it.</summary>
/// <param name="Summary">One sentence.</param>
/// <param name="Routes">The routes of its host that the caller may read, at most 50: the one that takes it first, then
/// those that come nearest.</param>
/// <param name="Changes">What would be changed on its way.</param>
/// <param name="Targets">Where it goes, each with how likely that is; none where the gateway answers itself.</param>
/// <param name="Route"><c>namespace/name</c>; absent where none takes it, or one that the caller may not read.</param>
/// <param name="Code">Why no route takes it.</param>
/// <param name="Answer">What the gateway answers itself, such as <c>redirect</c> or <c>files</c>.</param>
public sealed record DryRunRouting(
    string Summary,
    IReadOnlyList<GatewayRouteVerdict> Routes,
    IReadOnlyList<string> Changes,
    IReadOnlyList<TargetShare> Targets,
    string? Route = null,
    string? Code = null,
    string? Answer = null);

/// <summary>A service or an upstream that a request may go to.</summary>
/// <param name="Percent">How likely; 100 where the request alone decides it.</param>
/// <param name="Instances">Of it, those that the caller may see.</param>
/// <param name="Policy">How one of them is chosen.</param>
/// <param name="Why">Why there are none.</param>
public sealed record TargetShare(
    string Target, double Percent, IReadOnlyList<GatewayInstance> Instances, string? Policy = null,
    string? Why = null);

/// <summary>An instance as this node of the gateway sees it.</summary>
/// <param name="State"><c>called</c>, <c>doubted</c> (its last call failed), <c>ejected</c>, <c>full</c> or
/// <c>standby</c> (of a tier or zone whose turn it is not).</param>
/// <param name="Percent">Its share of the requests, as far as all are equally busy.</param>
/// <param name="LatencyMs">How long it took of late to begin an answer; absent when nothing is known.</param>
public sealed record GatewayInstance(
    string Id, string Address, string State, double Percent, int Weight, int UnderWay, int Tier = 0,
    double? LatencyMs = null, string? Zone = null, string? Version = null);

/// <summary>Changes of routes, upstreams and listeners that are not made, to be tried with the requests that this node
/// remembers.</summary>
/// <param name="Draft">1 to 100.</param>
public sealed record ReplayRequest(IReadOnlyList<ChangeDocument> Draft);

/// <summary>What a draft would change for the requests that this node remembers. None is sent anywhere.</summary>
/// <param name="Heads">Requests that were tried, of routes that the caller may read.</param>
/// <param name="Unread">Requests whose head was not kept.</param>
/// <param name="Moved">Requests that would go elsewhere.</param>
/// <param name="Moves">From where to where, at most 100, the most frequent first.</param>
/// <param name="Requests">The last 100 of those that would go elsewhere.</param>
public sealed record ReplayAnswer(
    string Node, long Revision, int Heads, int Unread, int Moved, IReadOnlyList<ReplayMove> Moves,
    IReadOnlyList<ReplayedRequest> Requests);

/// <summary>Where some requests go, and where they would.</summary>
public sealed record ReplayMove(int Count, ReplayPlace From, ReplayPlace To);

/// <summary>Where requests go.</summary>
/// <param name="Route">Absent where none takes them, or one that the caller may not read.</param>
/// <param name="Targets">Such as <c>shop/catalog</c> or <c>shop/catalog 95 %</c>; the code where no route takes
/// them.</param>
public sealed record ReplayPlace(string Targets, string? Route = null);

/// <summary>A request that would go elsewhere.</summary>
public sealed record ReplayedRequest(GatewayRequestSummary Request, ReplayPlace From, ReplayPlace To);

/// <summary>The addresses of a node of the gateway.</summary>
public sealed record GatewayListenerList(string Node, IReadOnlyList<ListenerInForce> Listeners);

/// <summary>One address of the gateway, and what holds for all that comes over it.</summary>
/// <param name="Name"><c>http</c> or <c>https</c>, as the resource is called.</param>
/// <param name="Addresses">Where it is open; none where the process configuration does not name it.</param>
/// <param name="Stages">What all of its requests pass before what their route wants.</param>
/// <param name="Bounds">In force, whatever says so.</param>
/// <param name="Certificates">Those that it shows, and that the caller may read.</param>
/// <param name="Routes">Routes that take its requests: all of the gateway's.</param>
/// <param name="Uncovered">Hosts of routes that none of the certificates is for, at most 20; where TLS is spoken
/// alone.</param>
/// <param name="Configured">True when there is a resource for it.</param>
public sealed record ListenerInForce(
    string Name, IReadOnlyList<string> Addresses, bool Secure, bool Configured, int Connections, int Routes,
    IReadOnlyList<string> Stages, ListenerBounds Bounds, IReadOnlyList<ListenerCertificate> Certificates,
    IReadOnlyList<string> Uncovered);

/// <summary>What connections and requests of a listener may cost; absent: as much as the server takes.</summary>
public sealed record ListenerBounds(
    long BodyBytes, long HeadMs, long KeepAliveMs, int? MaxConnections = null, int? MaxConnectionsPerAddress = null,
    long? ResponseHeadMs = null, long? IdleMs = null);

/// <summary>A certificate that a listener shows.</summary>
/// <param name="Hosts">What it is for.</param>
/// <param name="NotAfter">Of the first in its chain that ends.</param>
public sealed record ListenerCertificate(
    string Namespace, string Name, IReadOnlyList<string> Hosts, DateTimeOffset NotAfter, bool IsDefault);

/// <summary>What this node of the gateway calls: upstreams, and services that routes name themselves.</summary>
public sealed record GatewayUpstreamList(string Node, IReadOnlyList<GatewayUpstream> Upstreams);

/// <summary>Something that routes lead to.</summary>
/// <param name="Kind"><c>upstream</c>, or <c>service</c> where routes name one themselves.</param>
/// <param name="Source">Where its instances come from: <c>service</c>, <c>addresses</c> or <c>dns</c>.</param>
/// <param name="Series">Its name in the figures of the traffic.</param>
/// <param name="Policy">How one of them is chosen.</param>
/// <param name="Routes">Routes that lead there and that the caller may read, <c>namespace/name</c>.</param>
/// <param name="Service">The service of <paramref name="Source"/>, <c>namespace/service</c>.</param>
/// <param name="Why">Why it has no instance.</param>
public sealed record GatewayUpstream(
    string Kind, string Namespace, string Name, string Source, string Series, string Policy,
    IReadOnlyList<string> Routes, IReadOnlyList<GatewayInstance> Instances, string? Service = null,
    string? Why = null);

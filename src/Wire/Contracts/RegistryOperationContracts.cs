namespace Groundwork.Wire.Contracts;

/// <summary>What an operator has put over an instance, by a resource that outlives the instance.</summary>
/// <param name="Source"><c>instance-override</c>, or <c>service-policy</c> for maintenance.</param>
/// <param name="By">The principal who wrote the resource.</param>
/// <param name="RegisteredWeight">The instance's own weight, where the operator says otherwise.</param>
/// <param name="RegisteredStatus">The instance's own status, where the operator says otherwise.</param>
public sealed record OverrideDocument(
    string Source,
    string By,
    DateTimeOffset Since,
    string? Reason = null,
    int? RegisteredWeight = null,
    string? RegisteredStatus = null);

/// <summary>A service that an operator keeps from its callers.</summary>
public sealed record MaintenanceDocument(string By, DateTimeOffset Since, string? Reason = null);

/// <summary>Who watches a service.</summary>
/// <param name="Name"><c>namespace/service/id</c> of an instance that named itself, else the principal.</param>
/// <param name="Node">The node that it is connected to.</param>
/// <param name="Seen">True when it was sent the index asked for.</param>
public sealed record WatcherDocument(string Name, string Node, bool Seen);

/// <summary>A page of instances over all services that the caller may discover.</summary>
public sealed record InstanceList(IReadOnlyList<InstanceDocument> Items, string? NextPage = null);

/// <summary>A service's versions side by side.</summary>
public sealed record VersionList(
    string Namespace, string Group, string Service, long Index, IReadOnlyList<VersionSummary> Items);

/// <summary>One version of a service's code, as its instances name it.</summary>
/// <param name="Version">Null: the instances that name none.</param>
/// <param name="Healthy">Those that are not unhealthy.</param>
/// <param name="Callable">Those that traffic goes to now.</param>
/// <param name="Zones">How many run where; <c>-</c> stands for no zone.</param>
public sealed record VersionSummary(
    int Instances, int Healthy, int Callable, IReadOnlyDictionary<string, int> Zones, string? Version = null);

/// <summary>Who consumes a service.</summary>
/// <param name="ExpireSeconds">Who was not heard of for so long is left out.</param>
/// <param name="Items">By consuming service; <c>gateway</c> without a namespace stands for the platform's own.</param>
public sealed record ConsumerList(
    string Namespace, string Group, string Service, int ExpireSeconds, IReadOnlyList<ConsumerDocument> Items);

/// <summary>What a service consumes.</summary>
/// <param name="ExpireSeconds">What was not heard of for so long is left out.</param>
/// <param name="Items">By consumed service, with those of this service's instances that consume it.</param>
public sealed record DependencyList(
    string Namespace, string Group, string Service, int ExpireSeconds, IReadOnlyList<ConsumerDocument> Items);

/// <summary>One service at the other end.</summary>
/// <param name="LastSeen">When any of its instances was heard of last.</param>
/// <param name="How"><c>sdk</c>: it reports its calls; <c>watch</c>: it watches the list; <c>gateway</c>: the gateway
/// calls it for the outside.</param>
public sealed record ConsumerDocument(
    string Namespace,
    string Group,
    string Service,
    DateTimeOffset LastSeen,
    IReadOnlyList<string> How,
    IReadOnlyList<ConsumerInstance> Instances);

/// <summary>One consuming instance; of the gateway, the node.</summary>
/// <param name="Node">The node that heard of it last.</param>
/// <param name="Breakers">Its circuit breakers towards the service that are not closed.</param>
public sealed record ConsumerInstance(
    string Id,
    DateTimeOffset LastSeen,
    IReadOnlyList<string> How,
    string Node,
    IReadOnlyList<BreakerDocument>? Breakers = null);

/// <summary>Why an instance is, or is not, called.</summary>
/// <param name="Listed">True: it is registered.</param>
/// <param name="Callable">True: traffic goes to it.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Reasons">Each thing that has to do with it, the weightiest first.</param>
/// <param name="Next">What to do about it, in order.</param>
/// <param name="Instance">As it is listed; null when it is not.</param>
/// <param name="Events">What happened to it last, newest first.</param>
public sealed record ExplanationDocument(
    string Namespace,
    string Group,
    string Service,
    string Id,
    bool Listed,
    bool Callable,
    string Summary,
    IReadOnlyList<ExplanationReason> Reasons,
    IReadOnlyList<string> Next,
    IReadOnlyList<RegistryEventDocument> Events,
    InstanceDocument? Instance = null);

/// <summary>One thing that has to do with it.</summary>
/// <param name="Code">For programs: <c>never-registered</c>, <c>deregistered</c>, <c>expired</c>, <c>status</c>,
/// <c>weight</c>, <c>override</c>, <c>maintenance</c>, <c>unhealthy</c>, <c>suspect</c>, <c>protection</c>,
/// <c>refused</c>, or <c>called</c>.</param>
/// <param name="Text">For people.</param>
public sealed record ExplanationReason(string Code, string Text, DateTimeOffset? Since = null, string? By = null);

/// <summary>Services, and which of them call which: as much of it as fits, what is connected most first.</summary>
/// <param name="ExpireSeconds">Calls that were not heard of for so long are left out.</param>
/// <param name="Services">How many services there are to show, before the limit.</param>
/// <param name="WithoutCalls">How many of those neither call another nor are called.</param>
/// <param name="Nodes">Connected services first, those with the most connections before others; then by name.</param>
/// <param name="Edges">Between services of <paramref name="Nodes"/> alone.</param>
public sealed record ServiceGraph(
    string StoreId,
    long Index,
    int ExpireSeconds,
    int Services,
    int WithoutCalls,
    IReadOnlyList<ServiceGraphNode> Nodes,
    IReadOnlyList<ServiceGraphEdge> Edges);

/// <summary>One service in the graph.</summary>
/// <param name="Id"><c>namespace/service</c>, <c>namespace/group@@service</c>, or <c>gateway</c> for the platform's
/// own.</param>
/// <param name="Registered">False: only heard of as a consumer; nothing by that name is registered.</param>
public sealed record ServiceGraphNode(
    string Id,
    string Namespace,
    string Group,
    string Service,
    int Instances,
    int Healthy,
    int Callable,
    bool Protection = false,
    bool Maintenance = false,
    bool Registered = true);

/// <summary>That a service consumes another.</summary>
/// <param name="From">Id of the consuming service.</param>
/// <param name="To">Id of the consumed one.</param>
/// <param name="How"><c>sdk</c>, <c>watch</c> and <c>gateway</c>, as in <see cref="ConsumerDocument"/>.</param>
/// <param name="OpenBreakers">Consuming instances with a circuit breaker towards it that is not closed.</param>
public sealed record ServiceGraphEdge(
    string From, string To, DateTimeOffset LastSeen, IReadOnlyList<string> How, int OpenBreakers = 0);

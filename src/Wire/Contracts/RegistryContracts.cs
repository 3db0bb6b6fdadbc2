using System.Text.Json;

namespace Groundwork.Wire.Contracts;

/// <summary>An instance of a service, as registered and as listed.</summary>
/// <param name="Service">Name of the service.</param>
/// <param name="Host">IP address or host name that others connect to.</param>
/// <param name="Port">The primary port, 1 to 65535.</param>
/// <param name="Namespace">Defaults to <c>default</c>.</param>
/// <param name="Group">Defaults to <c>default</c>.</param>
/// <param name="Id">The caller's own id, or <c>host:port[:cluster]</c> when not given.</param>
/// <param name="Scheme"><c>http</c> (default) or <c>https</c>.</param>
/// <param name="Ports">Further named ports.</param>
/// <param name="Weight">0 to 10,000; 100 is normal, 0 takes no traffic.</param>
/// <param name="Version">Version of the service's code.</param>
/// <param name="Zone">The place it runs in; callers prefer their own.</param>
/// <param name="Cluster">A named part of the service.</param>
/// <param name="Tags">At most 64.</param>
/// <param name="Metadata">At most 64 entries and 16 KiB.</param>
/// <param name="Status"><c>starting</c>, <c>up</c> (default), <c>draining</c>, <c>out-of-service</c> or
/// <c>down</c>.</param>
/// <param name="Ephemeral">True (default): kept alive by renewals. False: stays until deregistered.</param>
/// <param name="LeaseSeconds">5 to 3,600, default 15: how long it lives without a renewal.</param>
/// <param name="Incarnation">The caller's start time in Unix milliseconds, else the time of receipt.</param>
/// <param name="Checks">Named checks with state and reason.</param>
/// <param name="Extensions">Per protocol, JSON of at most 16 KiB.</param>
/// <param name="RegisteredBy">Protocol, client version and principal; set by the platform.</param>
/// <param name="Health">Set by the platform: <c>healthy</c>, <c>suspect</c> or <c>unhealthy</c>, with the
/// reason.</param>
/// <param name="ExpiresAt">When it goes if no renewal comes; set by the platform.</param>
/// <param name="Override">What an operator has put over it: weight and status above are then the operator's. Set by
/// the platform.</param>
/// <param name="Callable">Whether traffic goes to it now; set by the platform, in lists of instances only.</param>
/// <param name="RegisteredFrom">The address that the registration came from; set by the platform.</param>
public sealed record InstanceDocument(
    string Service,
    string Host,
    int Port,
    string? Namespace = null,
    string? Group = null,
    string? Id = null,
    string? Scheme = null,
    IReadOnlyDictionary<string, int>? Ports = null,
    int? Weight = null,
    string? Version = null,
    string? Zone = null,
    string? Cluster = null,
    IReadOnlyList<string>? Tags = null,
    IReadOnlyDictionary<string, string>? Metadata = null,
    string? Status = null,
    bool? Ephemeral = null,
    int? LeaseSeconds = null,
    long? Incarnation = null,
    IReadOnlyList<InstanceCheck>? Checks = null,
    IReadOnlyDictionary<string, JsonElement>? Extensions = null,
    string? RegisteredBy = null,
    InstanceHealth? Health = null,
    DateTimeOffset? ExpiresAt = null,
    OverrideDocument? Override = null,
    bool? Callable = null,
    string? RegisteredFrom = null);

/// <summary>One check of an instance: <c>passing</c>, <c>warning</c> or <c>critical</c>.</summary>
public sealed record InstanceCheck(
    string Name, string State, DateTimeOffset Since, string Source, string? Reason = null);

/// <summary>What the platform believes of an instance, why, and since when.</summary>
public sealed record InstanceHealth(string State, string Reason, DateTimeOffset Since);

/// <summary>The answer to a registration.</summary>
/// <param name="Id">The id under which it is registered, and that renewals name.</param>
/// <param name="Index">The service's index after it.</param>
/// <param name="LeaseSeconds">Renew three times within this.</param>
/// <param name="Incarnation">The incarnation to send with renewals and deregistration.</param>
public sealed record RegistrationAnswer(string Id, long Index, int LeaseSeconds, long Incarnation);

/// <summary>A service and its instances at one index.</summary>
/// <param name="Index">Of the last change of membership or health; the same on all nodes, never lower.</param>
/// <param name="StoreId">The store that the index belongs to.</param>
/// <param name="Protection">True while the protection threshold keeps expired instances in the list.</param>
/// <param name="ProtectionReason">Why, when it does.</param>
/// <param name="EmptyReason">
/// Why no instance is left, such as <c>deregistered</c>; null while there are some. An empty list without a reason is
/// not to be believed: callers keep the one before it.
/// </param>
/// <param name="Maintenance">Why none of it is called, while an operator keeps it from its callers.</param>
public sealed record ServiceDocument(
    string Namespace,
    string Group,
    string Service,
    long Index,
    string StoreId,
    bool Protection,
    IReadOnlyList<InstanceDocument> Instances,
    string? ProtectionReason = null,
    string? EmptyReason = null,
    MaintenanceDocument? Maintenance = null);

/// <summary>
/// Answers <c>GET /registry/services/{namespace}/{service}/watchers?group=&amp;index=I&amp;wait=5s</c>: as soon as
/// every watcher (gateway, follower or SDK) of the service was sent that index, or when the wait is over. A leaving
/// instance asks it between draining and the end of accepting.
/// </summary>
/// <param name="Index">The index asked for.</param>
/// <param name="Watchers">How many watch the service.</param>
/// <param name="Behind">How many of them were not yet sent the index.</param>
/// <param name="Items">At most 100 of them by name, those behind first. Watchers of other nodes stand here one by one
/// while they are behind, and as one entry for their node once they are not.</param>
public sealed record WatchersDocument(
    long Index, int Watchers, int Behind, IReadOnlyList<WatcherDocument>? Items = null);

/// <summary>Body of <c>POST /registry/outcomes</c>: how calls went, gathered by the caller.</summary>
/// <param name="Outcomes">At most 1,000, one per instance and outcome.</param>
/// <param name="Caller"><c>namespace/service/instance</c> of who called: a consumer of these services. Null: nobody
/// in particular.</param>
/// <param name="Breakers">Circuit breakers of the caller that are not closed, and those that have closed since the
/// last report. Null when there are none.</param>
public sealed record OutcomeBatch(
    IReadOnlyList<OutcomeDocument> Outcomes,
    string? Caller = null,
    IReadOnlyList<BreakerDocument>? Breakers = null);

/// <summary>A circuit breaker of a caller towards a service, or towards one method of it.</summary>
/// <param name="State"><c>closed</c>, <c>open</c> or <c>half-open</c>.</param>
/// <param name="Since">When it came to be so.</param>
/// <param name="Method">The method it is for; null: all of the service's.</param>
/// <param name="Reason">Why it opened.</param>
public sealed record BreakerDocument(
    string Service,
    string State,
    DateTimeOffset Since,
    string? Namespace = null,
    string? Group = null,
    string? Method = null,
    string? Reason = null);

/// <summary>How often calls to one instance ended in one way since the caller's last report.</summary>
/// <param name="Outcome"><c>answered</c>, <c>connect-failed</c> or <c>no-answer</c>.</param>
/// <param name="Count">1 or more.</param>
public sealed record OutcomeDocument(
    string Service, string Id, string Outcome, int Count, string? Namespace = null, string? Group = null);

/// <summary>A line in the list of services.</summary>
public sealed record ServiceSummary(
    string Namespace,
    string Group,
    string Service,
    long Index,
    int Instances,
    int Healthy,
    bool Protection,
    int Callable = 0,
    bool Maintenance = false);

/// <summary>A page of services.</summary>
public sealed record ServiceList(
    string StoreId, long Index, IReadOnlyList<ServiceSummary> Items, string? NextPage = null);

/// <summary>Names one instance in a batch of renewals.</summary>
public sealed record RenewalDocument(
    string Service, string Id, string? Namespace = null, string? Group = null, long? Incarnation = null);

/// <summary>Renewals of many instances in one call.</summary>
public sealed record RenewalBatch(IReadOnlyList<RenewalDocument> Renewals);

/// <summary>The ids that were not renewed, with the code why; all others were.</summary>
public sealed record RenewalAnswer(int Renewed, IReadOnlyList<RenewalRefusal> Refused);

/// <summary>A renewal that was refused: <c>instance_not_found</c> means register again.</summary>
public sealed record RenewalRefusal(string Service, string Id, string Code);

/// <summary>Something that happened to a service or one of its instances, as seen by the answering node.</summary>
/// <param name="Index">The service's index after it.</param>
/// <param name="Event"><c>registered</c>, <c>updated</c>, <c>renewed</c>, <c>suspect</c>, <c>expired</c>, <c>held</c>,
/// <c>deregistered</c>, <c>draining</c>, <c>undrained</c>, <c>unhealthy</c>, <c>healthy</c>, <c>probed</c>,
/// <c>overridden</c>, <c>policy</c> for the service as a whole, or <c>stalled</c> for the registry itself.</param>
/// <param name="Principal">Who did it; null when the registry did.</param>
/// <param name="Node">The node that it happened on.</param>
public sealed record RegistryEventDocument(
    DateTimeOffset At,
    string Event,
    long Index,
    string Reason,
    string? Namespace = null,
    string? Group = null,
    string? Service = null,
    string? Id = null,
    string? Principal = null,
    string? Node = null);

/// <summary>Events of the registry, newest first; bounded, so old ones are gone.</summary>
public sealed record RegistryEventList(IReadOnlyList<RegistryEventDocument> Items);

namespace Groundwork.Wire.Contracts;

/// <summary>
/// Answers <c>GET /registry/services/{namespace}/{service}/protocols?group=</c>: who registered the instances by which
/// protocol, what each protocol that is spoken shows of the service, and who is subscribed.
/// </summary>
/// <param name="Index">Of the service; 0 when nothing has registered.</param>
/// <param name="Node">Whose protocols and subscribers these are.</param>
/// <param name="InstanceCount">How many there are.</param>
/// <param name="Instances">At most 200 of them, in order of id.</param>
/// <param name="Protocols">Those that are spoken on the node; first our own.</param>
/// <param name="SubscriberCount">How many there are.</param>
/// <param name="Subscribers">At most 200 of them, by protocol.</param>
public sealed record ServiceProtocols(
    string Namespace,
    string Group,
    string Service,
    long Index,
    string Node,
    int InstanceCount,
    IReadOnlyList<InstanceOrigin> Instances,
    IReadOnlyList<ProtocolView> Protocols,
    int SubscriberCount,
    IReadOnlyList<ServiceSubscriber> Subscribers);

/// <summary>Who registered an instance.</summary>
/// <param name="Protocol">The protocol's name among <c>listeners</c>; <c>groundwork</c> is our API, as our SDK speaks
/// it. Empty where it is not known.</param>
/// <param name="Client">What the client says of itself; empty when it does not.</param>
/// <param name="Principal">Such as <c>key:orders</c>.</param>
/// <param name="Address">Where the registration came from; null where it is not known.</param>
public sealed record InstanceOrigin(
    string Id, string Protocol, string Client, string Principal, string? Address = null);

/// <summary>A service as one protocol shows it.</summary>
/// <param name="Names">What its clients ask for, part by part; empty when it has no name for the service.</param>
/// <param name="Shown">How many instances it shows.</param>
/// <param name="Callable">How many of these a client calls that heeds what it is told.</param>
/// <param name="States">How many instances it shows in which state, in its own words.</param>
/// <param name="Instances">At most 200 of them, in order of id.</param>
/// <param name="Lacks">Fields that some of its instances have something in, and that it cannot say.</param>
/// <param name="Refusal">Why its clients do not find the service; null when they do.</param>
/// <param name="Subscribing">How its clients subscribe: <c>watch</c>, <c>datagram</c>, <c>blocking-query</c>,
/// <c>fetch</c> (they ask every now and then) or <c>stream</c>; null where they cannot.</param>
public sealed record ProtocolView(
    string Protocol,
    IReadOnlyList<ProtocolName> Names,
    int Shown,
    int Callable,
    IReadOnlyDictionary<string, int> States,
    IReadOnlyList<ProtocolInstance> Instances,
    IReadOnlyList<string> Lacks,
    string? Refusal = null,
    string? Subscribing = null);

/// <summary>A part of a name, as the protocol calls it.</summary>
public sealed record ProtocolName(string Word, string Value);

/// <summary>An instance as one protocol shows it.</summary>
/// <param name="Id">In the registry.</param>
/// <param name="Name">What stands for it in the protocol's answer.</param>
/// <param name="State">In the protocol's own words.</param>
/// <param name="Callable">True when a client that heeds them calls it.</param>
/// <param name="Lacks">Fields that it has something in, and that the protocol cannot say; null when there are
/// none.</param>
public sealed record ProtocolInstance(
    string Id, string Name, string State, bool Callable, IReadOnlyList<string>? Lacks = null);

/// <summary>Somebody who is told of changes of a service.</summary>
/// <param name="How">As <c>subscribing</c> of the protocol; also <c>events</c>, of a console, and
/// <c>fetch-application</c> and <c>process</c>.</param>
/// <param name="Client">What it says of itself; empty when it does not.</param>
/// <param name="Name">The instance, principal or application that it is; empty where it is not known.</param>
/// <param name="Since">Since when it waits, or when it asked last.</param>
/// <param name="Address">Null where it is not known.</param>
public sealed record ServiceSubscriber(
    string Protocol, string How, string Client, string Name, DateTimeOffset Since, string? Address = null);

using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols;

/// <summary>
/// The one table of names: how each protocol's words for a service stand for a <see cref="ServiceKey"/>, and back.
/// <c>docs/protocols/names.md</c> shows it to people, and a test holds the two to each other.
/// </summary>
public static class ProtocolNames
{
    /// <summary>What Nacos calls the namespace <c>default</c>; it also sends nothing.</summary>
    public const string NacosPublic = "public";

    /// <summary>What Nacos calls the group <c>default</c>.</summary>
    public const string NacosDefaultGroup = "DEFAULT_GROUP";

    /// <summary>The one datacenter of Consul.</summary>
    public const string ConsulDatacenter = "dc1";

    private const string EscapedSlash = "%2F";

    /// <summary>A service as Nacos names it. A group in the service's name counts before one beside it.</summary>
    public static Outcome<ServiceKey> OfNacos(string? namespaceId, string? groupName, string serviceName)
    {
        var (named, service) = ServiceKey.Split(serviceName);
        return Of(NamespaceOfNacos(namespaceId), GroupOfNacos(named ?? groupName), service);
    }

    /// <summary>Empty, null and <c>public</c> are <c>default</c>.</summary>
    public static string NamespaceOfNacos(string? namespaceId) =>
        string.IsNullOrEmpty(namespaceId) || namespaceId == NacosPublic ? Names.DefaultNamespace : namespaceId;

    /// <summary>Empty, null and <c>DEFAULT_GROUP</c> are <c>default</c>.</summary>
    public static string GroupOfNacos(string? groupName) =>
        string.IsNullOrEmpty(groupName) || groupName == NacosDefaultGroup ? ServiceKey.DefaultGroup : groupName;

    /// <summary>The service as Nacos's answers name it: <c>DEFAULT_GROUP@@orders</c>.</summary>
    public static string ToNacos(ServiceKey key) => GroupToNacos(key.Group) + ServiceKey.GroupSeparator + key.Service;

    /// <summary>The namespace as Nacos's answers name it.</summary>
    public static string NamespaceToNacos(string @namespace) =>
        @namespace == Names.DefaultNamespace ? NacosPublic : @namespace;

    /// <summary>The group as Nacos's answers name it.</summary>
    public static string GroupToNacos(string group) => group == ServiceKey.DefaultGroup ? NacosDefaultGroup : group;

    /// <summary>
    /// A service as Consul names it, in its one datacenter: <c>[group@@]service</c>, in <paramref name="ns"/> or
    /// <c>default</c>.
    /// </summary>
    /// <param name="datacenter">Null or empty: the one there is.</param>
    public static Outcome<ServiceKey> OfConsul(string? datacenter, string? ns, string service)
    {
        if (!IsConsulDatacenter(datacenter))
            return new Fault(
                ErrorCodes.NameInvalid,
                $"There is no datacenter '{datacenter}'; the only one is {ConsulDatacenter}.");
        var (group, plain) = ServiceKey.Split(service);
        return Of(string.IsNullOrEmpty(ns) ? Names.DefaultNamespace : ns, group ?? ServiceKey.DefaultGroup, plain);
    }

    /// <summary>True for the one datacenter, and for none.</summary>
    public static bool IsConsulDatacenter(ReadOnlySpan<char> datacenter) =>
        datacenter.IsEmpty || datacenter.Equals(ConsulDatacenter, StringComparison.OrdinalIgnoreCase);

    /// <summary>The service as Consul names it: <c>orders</c>, <c>blue@@orders</c>.</summary>
    public static string ToConsul(ServiceKey key) =>
        key.Group == ServiceKey.DefaultGroup ? key.Service : key.Group + ServiceKey.GroupSeparator + key.Service;

    /// <summary>
    /// An application of Eureka: of the namespace <c>default</c>, found without regard to case. The key is as it was
    /// written; one that is registered already is found by <see cref="ServiceNames"/>.
    /// </summary>
    public static Outcome<ServiceKey> OfEureka(string app)
    {
        var (group, service) = ServiceKey.Split(app);
        return Of(Names.DefaultNamespace, group ?? ServiceKey.DefaultGroup, service);
    }

    /// <summary>The application as Eureka's answers name it: in upper case.</summary>
    public static string ToEureka(ServiceKey key) => ToConsul(key).ToUpperInvariant();

    /// <summary>
    /// A service as clients of gRPC name it after <c>xds:///</c>: <c>[namespace/][group@@]service</c>. The slash may
    /// come as %2F, since some clients show what they were given to the server that they call, as its authority.
    /// </summary>
    public static Outcome<ServiceKey> OfXds(string name)
    {
        name = Uri.UnescapeDataString(name);
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var (group, service) = ServiceKey.Split(name[(slash + 1)..]);
        return Of(slash < 0 ? Names.DefaultNamespace : name[..slash], group ?? ServiceKey.DefaultGroup, service);
    }

    /// <summary>The service as clients of gRPC name it: <c>orders</c>, <c>shop%2Forders</c>.</summary>
    public static string ToXds(ServiceKey key) =>
        key.Namespace == Names.DefaultNamespace ? ToConsul(key) : key.Namespace + EscapedSlash + ToConsul(key);

    /// <summary>
    /// A service as keys of etcd's naming name it, between <c>services/</c> and the instance:
    /// <c>[namespace%2F][group@@]service</c>. A slash would make it two parts, and one service's keys another's.
    /// </summary>
    public static Outcome<ServiceKey> OfEtcd(string name)
    {
        var at = name.IndexOf(EscapedSlash, StringComparison.Ordinal);
        var (group, service) = ServiceKey.Split(at < 0 ? name : name[(at + EscapedSlash.Length)..]);
        return Of(at < 0 ? Names.DefaultNamespace : name[..at], group ?? ServiceKey.DefaultGroup, service);
    }

    /// <summary>The service as keys of etcd's naming name it: <c>orders</c>, <c>shop%2Forders</c>.</summary>
    public static string ToEtcd(ServiceKey key) => ToXds(key);

    private static Outcome<ServiceKey> Of(string @namespace, string group, string service)
    {
        if (!Names.IsNamespace(@namespace))
            return new Fault(
                ErrorCodes.NamespaceInvalid,
                $"'{@namespace}' is no namespace: 1 to {Names.MaxNamespaceLength} of a-z 0-9 -.");
        return ServiceKey.IsPart(group) && ServiceKey.IsPart(service)
            ? new ServiceKey(@namespace, group, service)
            : new Fault(
                ErrorCodes.NameInvalid,
                $"'{group}@@{service}' is no service: group and name are 1 to {Names.MaxSegmentLength} of "
                + "A-Z a-z 0-9 . _ : @ - without @@.");
    }
}

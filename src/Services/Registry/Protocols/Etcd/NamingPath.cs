using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols.Etcd;

/// <summary>Where an instance is among the keys: <c>services/SERVICE/NAME</c>.</summary>
/// <param name="Name">By convention <c>host:port</c>.</param>
internal readonly record struct NamingPath(ServiceKey Service, string Name)
{
    /// <summary>Characters of a name: a host and its port.</summary>
    private const int MaxNameLength = RegistryLimits.MaxHostLength + 8;

    private static Fault Malformed => new(
        ErrorCodes.BadRequest,
        $"A key below {NamingKeys.Prefix} is {NamingKeys.Prefix}SERVICE/NAME, where NAME is 1 to {MaxNameLength} "
        + "characters without a slash.");

    public static Outcome<NamingPath> Read(ReadOnlySpan<byte> key)
    {
        if (!Utf8.IsValid(key)) return Malformed;
        var text = Encoding.UTF8.GetString(key);
        if (!text.StartsWith(NamingKeys.Prefix, StringComparison.Ordinal)) return Malformed;
        var rest = text[NamingKeys.Prefix.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IsName(rest[(slash + 1)..])) return Malformed;
        if (!ProtocolNames.OfEtcd(rest[..slash]).TryGet(out var service, out var fault)) return fault;
        return new NamingPath(service, rest[(slash + 1)..]);
    }

    /// <summary>What all keys of a service begin with.</summary>
    public static string PrefixOf(ServiceKey service) => NamingKeys.Prefix + ProtocolNames.ToEtcd(service) + "/";

    public static bool IsName(string? name) => name is { Length: > 0 and <= MaxNameLength }
        && !name.Contains('/', StringComparison.Ordinal) && !name.Any(char.IsControl) && InstanceRules.IsText(name);

    /// <summary>
    /// The instances of a service with their names, each name once: as it was put over etcd, else <c>host:port</c>,
    /// else the id, where another has that already.
    /// </summary>
    public static IEnumerable<(string Name, Instance Instance)> NamesOf(ServiceView view)
    {
        var taken = new HashSet<string>(view.Instances.Length, StringComparer.Ordinal);
        foreach (var instance in view.Instances)
        {
            var name = EtcdExtension.Of(instance)?.Name ?? AddressOf(instance);
            if (!taken.Add(name))
            {
                name = instance.Key.Id;
                while (!taken.Add(name)) name += "~";
            }
            yield return (name, instance);
        }
    }

    /// <summary>Host and port; an IPv6 address stands in brackets.</summary>
    public static string AddressOf(Instance instance)
    {
        var host = instance.Host.Contains(':', StringComparison.Ordinal) ? $"[{instance.Host}]" : instance.Host;
        return string.Create(CultureInfo.InvariantCulture, $"{host}:{instance.Port}");
    }
}

using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Etcd;

/// <summary>
/// Registers and deregisters instances by their keys. An instance has no lease in the registry: it stays until its key
/// is deleted, or until the lease of etcd is over that it was put with, which is the store's and outlasts restarts.
/// </summary>
public sealed class NamingWrites
{
    /// <summary>Who ends an instance whose lease is over.</summary>
    private static readonly string Ender = Principal.System(EtcdExtension.Protocol).Name;

    private readonly ProtocolParts parts;
    private readonly NamingKeys keys;

    internal NamingWrites(ProtocolParts parts, NamingKeys keys)
    {
        this.parts = parts;
        this.keys = keys;
    }

    /// <summary>Null when a put would register; else what is wrong with it, or the refusal.</summary>
    public Fault? CheckPut(HttpContext context, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, long lease) =>
        Read(context, key, value, lease, out _).Fault;

    /// <summary>Registers the instance of a key, or changes it.</summary>
    /// <returns>The key as it was, if it was, and the revision of the change.</returns>
    public async ValueTask<Outcome<NamingWritten>> PutAsync(
        HttpContext context, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, long lease,
        CancellationToken cancellationToken)
    {
        if (!Read(context, key, value, lease, out var path).TryGet(out var wanted, out var fault)) return fault;
        var principal = context.Principal().Name;
        var before = keys.Find(path);
        var registered = await parts.Registrations.RegisterAsync(wanted, principal, cancellationToken);
        if (registered.TryGet(out _, out fault))
            return new NamingWritten(before is null ? [] : [before], 1, keys.SeePut(path, before));
        parts.Refused.Note(wanted.Key, "registration", fault.Error, principal);
        return fault;
    }

    /// <summary>Null when the caller may deregister what is there now; else the refusal.</summary>
    public Fault? CheckDelete(HttpContext context, NamingRange range) => Find(context, range).Fault;

    /// <summary>Deregisters all instances of a range, those included that nobody calls now, or none.</summary>
    /// <returns>The keys that were there, and the revision then.</returns>
    public async ValueTask<Outcome<NamingWritten>> DeleteAsync(
        HttpContext context, NamingRange range, CancellationToken cancellationToken)
    {
        if (!Find(context, range).TryGet(out var found, out var fault)) return fault;
        var shown = found.Select(one => keys.Find(one.Path)).OfType<NamingKey>().ToImmutableArray();
        foreach (var (_, key) in found)
        {
            fault = await parts.Registrations.DeregisterAsync(
                key, incarnation: null, context.Principal().Name, why: null, cancellationToken);
            if (fault is not null) return fault;
        }
        var revision = keys.See(found.Select(one => one.Key.Service).Distinct());
        return new NamingWritten(shown, found.Count, revision);
    }

    /// <summary>Deregisters what goes with leases that are over.</summary>
    /// <returns>What went wrong; the next try finds what is left.</returns>
    public async ValueTask<Fault?> EndAsync(IReadOnlySet<long> leases, CancellationToken cancellationToken)
    {
        Fault? last = null;
        var ended = keys.Of(leases);
        foreach (var (key, lease, incarnation) in ended)
        {
            var fault = await parts.Registrations.DeregisterAsync(
                key, incarnation, Ender, FormattableString.Invariant($"its lease {lease:x16} of etcd is over"),
                cancellationToken);
            // One that has registered anew meanwhile has another lease, or none.
            if (fault is not null && fault.Error != ErrorCodes.IncarnationOlder) last = fault;
        }
        if (ended.Length > 0) keys.See(ended.Select(one => one.Key.Service).Distinct());
        return last;
    }

    private Outcome<Instance> Read(
        HttpContext context, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, long lease, out NamingPath path)
    {
        if (!NamingPath.Read(key.Span).TryGet(out path, out var fault)) return fault;
        var (service, name) = path;
        var known = Registered(path);
        var id = known?.Key ?? new InstanceKey(service, InstanceIds.Of(name));
        if (parts.Access.Check(context, Verb.Register, RegistryAccess.Target(id)) is { } refusal) return refusal;
        if (!NamingEndpoint.Read(value).TryGet(out var endpoint, out fault)) return fault;
        var extension = new EtcdExtension(name, lease, Encoding.UTF8.GetString(value.Span));
        var document = new InstanceDocument(
            service.Service, endpoint.Host, endpoint.Port, service.Namespace, service.Group, id.Id)
        {
            Ephemeral = false,
            Metadata = endpoint.Metadata,
            Zone = Label(endpoint.Metadata, "zone"),
            Version = Label(endpoint.Metadata, "version"),
            Extensions = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
            {
                [EtcdExtension.Protocol] = extension.ToJson(),
            },
        };
        var by = ProtocolCalls.Describe(
            EtcdExtension.Protocol, context.Request.Headers.UserAgent.ToString(), context.Principal().Name);
        if (!parts.Rules.Read(document, by, RequestAddress.Of(context)).TryGet(out var said, out fault)) return fault;
        if (known is null) return said;
        // What etcd cannot say stays as it was said otherwise.
        return known with
        {
            Host = said.Host, Port = said.Port, Metadata = said.Metadata, Status = said.Status, Ephemeral = false,
            Zone = said.Zone ?? known.Zone, Version = said.Version ?? known.Version, RegisteredBy = said.RegisteredBy,
            Health = said.Health, Incarnation = 0,
            Extensions = TextMap.Of(known.Extensions.Where(entry => entry.Key != EtcdExtension.Protocol)
                .Concat(said.Extensions)),
        };
    }

    /// <summary>What stands behind a name, by whichever protocol and under whichever id.</summary>
    private Instance? Registered(NamingPath path)
    {
        if (parts.Registry.FindFresh(path.Service) is not { } view) return null;
        foreach (var (name, instance) in NamingPath.NamesOf(view))
            if (name == path.Name) return parts.Registry.FindInstance(instance.Key)?.Instance;
        return null;
    }

    private Outcome<List<(NamingPath Path, InstanceKey Key)>> Find(HttpContext context, NamingRange range)
    {
        ServiceKey? service = null;
        if (range.Service is { } named)
        {
            if (!ProtocolNames.OfEtcd(named).TryGet(out var one, out var fault)) return fault;
            service = one;
        }
        var found = new List<(NamingPath Path, InstanceKey Key)>();
        foreach (var key in service is { } only ? [only] : parts.Registry.Services.Select(state => state.Key))
        {
            if (parts.Registry.FindFresh(key) is not { } view) continue;
            var prefix = NamingPath.PrefixOf(key);
            found.AddRange(NamingPath.NamesOf(view)
                .Where(one => range.Contains(Encoding.UTF8.GetBytes(prefix + one.Name)))
                .Select(one => (new NamingPath(key, one.Name), one.Instance.Key)));
        }
        foreach (var (_, key) in found)
            if (parts.Access.Check(context, Verb.Register, RegistryAccess.Target(key)) is { } refusal) return refusal;
        // That nothing is there is told to whoever could have something there.
        if (found.Count == 0 && service is { } empty
            && parts.Access.Check(context, Verb.Register, Possible(empty, range)) is { } forbidden) return forbidden;
        return found;
    }

    private static Kernel.Resources.ResourceKey Possible(ServiceKey service, NamingRange range) =>
        range.Single is { } single && NamingPath.Read(single).TryGet(out var path, out _)
            ? RegistryAccess.Target(new InstanceKey(service, InstanceIds.Of(path.Name)))
            : RegistryAccess.Target(service);

    private static string? Label(Dictionary<string, string>? metadata, string name) =>
        metadata?.GetValueOrDefault(name) is { Length: > 0 and <= RegistryLimits.MaxLabelLength } label
            && !label.Any(char.IsControl) ? label : null;
}

/// <summary>A range of keys.</summary>
/// <param name="Service">The one service that it is about, as the keys name it; null: any number of them.</param>
/// <param name="Single">The one key that it is; null: any number of them.</param>
public sealed record NamingRange(string? Service, byte[]? Single, Func<byte[], bool> Contains);

/// <summary>What a write came to.</summary>
/// <param name="Before">The keys that were there.</param>
/// <param name="Count">Instances that were changed or removed, those included that were no key.</param>
/// <param name="Revision">The revision with it.</param>
public sealed record NamingWritten(ImmutableArray<NamingKey> Before, int Count, long Revision);

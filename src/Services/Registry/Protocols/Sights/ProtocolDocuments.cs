using Groundwork.Kernel.Security;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry.Protocols.Sights;

/// <summary>Asks every protocol what it shows of a service, and writes it as the API has it.</summary>
internal sealed class ProtocolDocuments(InstanceRegistry registry)
{
    /// <summary>Instances of one protocol, and subscribers of all, that are written out: what a person reads.</summary>
    private const int MaxListed = 200;

    private readonly OwnSight own = new(registry);

    /// <param name="asker">Who may discover the service.</param>
    public ServiceProtocols Write(ServiceKey service, Principal asker)
    {
        var view = registry.FindFresh(service);
        var instances = (view?.Instances ?? []).ToDictionary(instance => instance.Key.Id, StringComparer.Ordinal);
        var sights = registry.Sights.All.Prepend(own)
            .Select(sight => (sight.Protocol, Sight: sight.Look(service, asker))).ToArray();
        var subscribers = sights.SelectMany(one => one.Sight.Subscribers
            .Select(subscriber => Write(one.Protocol, subscriber))).ToArray();
        return new ServiceProtocols(
            service.Namespace, service.Group, service.Service, view?.Index ?? 0, registry.NodeName,
            instances.Count,
            [.. (view?.Instances ?? []).Take(MaxListed).Select(Write)],
            [.. sights.Select(one => Write(one.Protocol, one.Sight, instances))],
            subscribers.Length, [.. subscribers.Take(MaxListed)]);
    }

    private static InstanceOrigin Write(Instance instance)
    {
        var by = Registrar.Of(instance);
        return new InstanceOrigin(
            instance.Key.Id, by.Protocol, by.Client, by.Principal, instance.RegisteredFrom);
    }

    private static ProtocolView Write(
        string protocol, ProtocolSight sight, Dictionary<string, Instance> instances)
    {
        var seen = sight.Instances;
        var lacks = InstanceFields.None;
        var written = new List<ProtocolInstance>(Math.Min(seen.Length, MaxListed));
        foreach (var one in seen)
        {
            // One that has gone is still shown by some.
            var lacking = instances.TryGetValue(one.Id, out var instance)
                ? FieldWords.Lacking(instance, sight.Says, protocol)
                : InstanceFields.None;
            lacks |= lacking;
            if (written.Count < MaxListed)
                written.Add(new ProtocolInstance(
                    one.Id, one.Name, one.State, one.Callable,
                    lacking == InstanceFields.None ? null : FieldWords.Of(lacking)));
        }
        return new ProtocolView(
            protocol,
            [.. sight.Names.Select(name => new ProtocolName(name.Word, name.Value))],
            seen.Length,
            seen.Count(one => one.Callable),
            seen.CountBy(one => one.State, StringComparer.Ordinal)
                .OrderBy(state => state.Key, StringComparer.Ordinal)
                .ToDictionary(state => state.Key, state => state.Value, StringComparer.Ordinal),
            written,
            FieldWords.Of(lacks),
            sight.Refusal,
            sight.Subscribing);
    }

    private static ServiceSubscriber Write(string protocol, Subscriber one) =>
        new(protocol, one.How, one.Client, one.Name, one.Since, one.Address);
}

using Groundwork.Kernel.Security;

namespace Groundwork.Services.Registry.Protocols.Sights;

/// <summary>A service as our own API shows it, which our SDK asks: whole.</summary>
internal sealed class OwnSight(InstanceRegistry registry) : IProtocolSight
{
    public string Protocol => Registrar.Own;

    public ProtocolSight Look(ServiceKey service, Principal asker)
    {
        var view = registry.FindFresh(service);
        return new ProtocolSight(
        [
            new SightName("namespace", service.Namespace), new SightName("group", service.Group),
            new SightName("service", service.Service),
        ])
        {
            Instances = [.. (view?.Instances ?? []).Select(instance => new SeenInstance(
                instance.Key.Id, instance.Key.Id,
                $"{InstanceWords.Of(instance.Status)}, {InstanceWords.Of(instance.Health.State)}",
                SightParts.IsCallable(view, instance)))],
            Says = InstanceFields.All,
            Subscribing = "watch",
            Subscribers = SightParts.Waiting(registry, service, Protocol),
        };
    }
}

using Groundwork.Services.Registry.Protocols;
using Groundwork.Services.Registry.Protocols.Sights;

namespace Groundwork.Services.Registry;

/// <summary>
/// Where other modules read services from: the registry of this process, or a follower of another node's. Reads are of
/// immutable views in memory. Both pass one contract suite.
/// </summary>
public interface IRegistryView
{
    /// <summary>
    /// How long the view has been without news from the node it follows; zero in the process that is the registry.
    /// </summary>
    TimeSpan Staleness { get; }

    /// <summary>The service as known now; null when nothing by that name has ever registered.</summary>
    ServiceView? Find(ServiceKey key);

    /// <summary>
    /// Everything that has ever registered and is remembered, in no order. A walk over all of it: not for each request.
    /// </summary>
    IEnumerable<ServiceView> Views { get; }

    /// <summary>The services by name without regard to case.</summary>
    ServiceNames ByName { get; }

    /// <summary>Where the protocols of other modules say what they show of services.</summary>
    ProtocolSights Sights { get; }

    /// <summary>
    /// Tells the registry how a call to an instance went. Cheap and never blocks; outcomes are gathered and lead to
    /// ejection, not to deregistration.
    /// </summary>
    void ReportOutcome(InstanceKey instance, CallOutcome outcome);
}

/// <summary>How a call to an instance ended.</summary>
public enum CallOutcome
{
    /// <summary>An answer came, whatever its status.</summary>
    Answered,

    /// <summary>No connection could be made.</summary>
    ConnectFailed,

    /// <summary>Connected, and no answer in time, or broken off.</summary>
    NoAnswer,
}

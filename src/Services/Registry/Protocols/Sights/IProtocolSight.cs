using Groundwork.Kernel.Security;

namespace Groundwork.Services.Registry.Protocols.Sights;

/// <summary>
/// What a protocol shows of a service, said by the protocol's own code: whoever answers its clients answers here, too,
/// so that nothing of its mapping is written twice. Any thread may ask.
/// </summary>
public interface IProtocolSight
{
    /// <summary>Our name of it: the one that switches it off.</summary>
    string Protocol { get; }

    /// <summary>What its clients are shown of the service, now.</summary>
    /// <param name="service">Whether or not anything has registered there.</param>
    /// <param name="asker">Who wants to know, and may discover the service: not whom the protocol answers.</param>
    ProtocolSight Look(ServiceKey service, Principal asker);
}

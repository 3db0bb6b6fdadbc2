using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>What there is by a name: a service, or a host whose routes lead to services.</summary>
/// <param name="Host">Null where it is a service.</param>
internal sealed record XdsOffer(ServiceView? Service, XdsHost? Host);

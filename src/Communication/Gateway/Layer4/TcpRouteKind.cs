using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Layer4;

/// <summary>The kind <c>tcp-route</c>: where connections go whose bytes the gateway does not look into.</summary>
public static class TcpRouteKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "tcp-route";

    public static Kind<TcpRouteSpec> Kind { get; } = new(Name, TcpRouteJson.Default.TcpRouteSpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "Where connections of an address go whose bytes the gateway does not look into.",
        Validate = TcpRouteRules.Check,
        ValidateAgainst = TcpRouteRules.CheckAgainst,
    };
}

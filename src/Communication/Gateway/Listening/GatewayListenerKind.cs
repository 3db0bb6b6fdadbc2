using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Listening;

/// <summary>
/// The kind <c>gateway-listener</c>: what holds for all that comes over one address of the gateway. The address is the
/// process configuration's: a resource opens none.
/// </summary>
public static class GatewayListenerKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "gateway-listener";

    public static Kind<GatewayListenerSpec> Kind { get; } = new(Name, GatewayListenerJson.Default.GatewayListenerSpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "What holds for all requests that come over one address of the gateway.",
        Namespaced = false,
        Validate = ListenerRules.Check,
        ValidateNamed = static (key, _, faults) =>
        {
            if (ListenerOf(key.Name) is null)
                faults.Add(new FieldFault("", "must be named http or https, as the address that it is about"));
        },
    };

    /// <summary>The resource that is about a listener of ours.</summary>
    internal static ResourceKey KeyOf(string listener) =>
        new(Name, "", listener == ListenerDefinition.GatewayHttps ? "https" : "http");

    /// <summary>The listener of the process configuration that a resource is about; null for none of ours.</summary>
    internal static string? ListenerOf(string name) => name switch
    {
        "http" => ListenerDefinition.Gateway,
        "https" => ListenerDefinition.GatewayHttps,
        _ => null,
    };
}

using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Upstreams;

/// <summary>The kind <c>upstream</c>: where requests can go, and how one place of several is chosen.</summary>
public static class UpstreamKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "upstream";

    public static Kind<UpstreamSpec> Kind { get; } = new(Name, UpstreamJson.Default.UpstreamSpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "Where requests can go, and how one place of several is chosen.",
        Validate = UpstreamRules.Check,
    };
}

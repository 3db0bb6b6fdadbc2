using System.Text;

namespace Groundwork.Communication.Gateway.OpenApi;

/// <summary>What a route asks, compiled.</summary>
internal sealed class OpenApiPlan(OpenApiSpec spec)
{
    public bool Blocks { get; } = spec.Mode == "block";

    /// <summary>Null: the document's servers say it.</summary>
    public byte[]? Prefix { get; } = spec.Prefix is { } prefix ? Encoding.ASCII.GetBytes(prefix.TrimEnd('/')) : null;

    public bool RefusesUnknown { get; } = spec.Unknown == "refuse";

    public bool RefusesUnknownQuery { get; } = spec.UnknownQuery == "refuse";

    public int BodyBytes { get; } = spec.BodyBytes;

    public bool RefusesUnseen { get; } = spec is { Mode: "block", Unseen: "refuse" };
}

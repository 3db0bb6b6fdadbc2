using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Groundwork.Communication.Gateway;

/// <summary>Has every gateway forget kept answers of the routes of its namespace, once, when it is written.</summary>
public sealed record CachePurgeSpec(
    [Description("Only those of this route of the namespace.")]
    [MaxLength(256)]
    string? Route = null,
    [Description("Only those of this host.")]
    [MaxLength(256)]
    string? Host = null,
    [Description("Only those of exactly this path, whatever their query.")]
    [MaxLength(1024)]
    string? Path = null,
    [Description("Only those whose path begins so.")]
    [MaxLength(1024)]
    string? Prefix = null,
    [Description("Only those that carry this tag.")]
    [MaxLength(256)]
    string? Tag = null,
    [Description("Makes a purge that was made before another one: any text, such as the time.")]
    [MaxLength(64)]
    string? At = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CachePurgeSpec))]
internal sealed partial class CachePurgeJson : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Groundwork.Kernel.Resources;

/// <summary>The body of a PUT of one resource; its key is in the path.</summary>
/// <param name="Spec">The kind's document.</param>
/// <param name="Labels">Null keeps the labels in place.</param>
/// <param name="Version">Schema version of the spec; the newest when not given.</param>
internal sealed record ResourceBody(
    JsonElement Spec, IReadOnlyDictionary<string, string>? Labels = null, int? Version = null);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ResourceBody))]
internal sealed partial class ResourceBodyJson : JsonSerializerContext
{
    public static ResourceBodyJson Strict => Default;
}

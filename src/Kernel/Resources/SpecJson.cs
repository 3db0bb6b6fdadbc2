using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// JSON options of specs: strict where people write, lenient where we read what a newer version may have written.
/// </summary>
internal static class SpecJson
{
    public static JsonTypeInfo<T> With<T>(JsonTypeInfo<T> json, bool strict)
    {
        var options = new JsonSerializerOptions
        {
            TypeInfoResolver = json.OriginatingResolver,
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            UnmappedMemberHandling = strict ? JsonUnmappedMemberHandling.Disallow : JsonUnmappedMemberHandling.Skip,
            AllowDuplicateProperties = !strict,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            MaxDepth = 32,
        };
        // The context's own, such as one that reads a masked text.
        foreach (var converter in json.Options.Converters) options.Converters.Add(converter);
        return (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
    }
}

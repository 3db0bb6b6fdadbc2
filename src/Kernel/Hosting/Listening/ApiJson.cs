using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>
/// JSON of endpoints whose body and answer are contracts of Wire: unknown and duplicate members are refused.
/// </summary>
internal static class ApiJson
{
    public static void Apply(JsonSerializerOptions options)
    {
        options.TypeInfoResolverChain.Insert(0, WireJson.Strict);
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.MaxDepth = 64;
    }
}

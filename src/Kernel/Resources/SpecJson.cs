using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>JSON options of specs: strict where people write, lenient where we read what a newer version may have written.</summary>
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
        return (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
    }

    /// <summary>Says what is wrong in terms of the document, without the CLR names that the serializer's message carries.</summary>
    public static FieldFault ToFault(JsonException fault, ReadOnlySpan<byte> json, string root = "spec")
    {
        var path = fault.Path is { Length: > 1 } text ? root + text[1..] : root;
        return new FieldFault(path, Explain(fault.Message, path, json));
    }

    private static string Explain(string message, string path, ReadOnlySpan<byte> json)
    {
        if (message.Contains("could not be mapped", StringComparison.Ordinal))
        {
            var quoted = message.Split('\'');
            return quoted.Length > 1 ? $"has no field '{quoted[1]}'" : "has a field that is not known";
        }
        if (message.Contains("missing required properties", StringComparison.Ordinal)
            || message.Contains("was missing required", StringComparison.Ordinal))
        {
            var names = message[(message.LastIndexOf(':') + 1)..].Trim().TrimEnd('.').Replace("'", "", StringComparison.Ordinal);
            return $"lacks the required field {names}";
        }
        if (message.Contains("Duplicate property", StringComparison.Ordinal)) return "has a field twice";
        if (message.Contains("doesn't allow null", StringComparison.Ordinal)
            || message.Contains("does not allow null", StringComparison.Ordinal)) return "must not be null";
        if (message.Contains("could not be converted", StringComparison.Ordinal)) return "has the wrong type";
        return json.IsEmpty ? "is empty" : "is not valid JSON";
    }
}

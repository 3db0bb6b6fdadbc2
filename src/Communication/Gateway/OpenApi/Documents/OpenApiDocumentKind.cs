using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>What a service takes, as OpenAPI says it.</summary>
public sealed record OpenApiDocumentSpec(
    [Description("The document, OpenAPI 3.0 or 3.1; at most 32 levels deep here.")]
    JsonElement? Document = null,
    [Description("The document instead as JSON, packed with gzip and written in base64; at most 1,048,576 bytes and 64 "
        + "levels unpacked.")]
    string? Packed = null,
    [Description("What the document is for, at most 512 characters.")]
    [StringLength(OpenApiDocumentKind.MaxDescription)]
    string? Description = null);

/// <summary>
/// The kind <c>openapi-document</c>: what routes hold their requests to. It is read whole when it is published, and
/// nothing that it refers to is ever fetched.
/// </summary>
public static class OpenApiDocumentKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "openapi-document";

    /// <summary>Characters of a description.</summary>
    public const int MaxDescription = 512;

    public static Kind<OpenApiDocumentSpec> Kind { get; } = new(Name, OpenApiDocumentJson.Default.OpenApiDocumentSpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "What a service takes, as an OpenAPI document says it; routes hold their requests to it.",
        FreeFields = ["document"],
        Validate = Validate,
    };

    private static void Validate(OpenApiDocumentSpec spec, ICollection<FieldFault> faults)
    {
        if (spec.Description?.Length > MaxDescription)
            faults.Add(new FieldFault("spec.description", $"must have {MaxDescription} characters at most"));
        if (spec.Document is null == spec.Packed is null)
            faults.Add(new FieldFault("spec", "must have exactly one of document and packed"));
        else DocumentReading.Read(spec, faults);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OpenApiDocumentSpec))]
internal sealed partial class OpenApiDocumentJson : JsonSerializerContext;

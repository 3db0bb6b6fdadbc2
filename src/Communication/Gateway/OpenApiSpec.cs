using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.OpenApi;

namespace Groundwork.Communication.Gateway;

/// <summary>Holds requests to the OpenAPI document of the service behind the route.</summary>
public sealed record OpenApiSpec(
    [Description("The openapi-document: [namespace/]name.")]
    string Document,
    [Description("detect: what does not fit is recorded and counted, and passes. block: it is refused.")]
    [AllowedValues("detect", "block")]
    string Mode = "detect",
    [Description("What stands before the document's paths, such as /api; that of its servers when not given. / for "
        + "nothing.")]
    string? Prefix = null,
    [Description("What becomes of paths and methods that the document has not: refuse or pass.")]
    [AllowedValues("refuse", "pass")]
    string Unknown = "refuse",
    [Description("What becomes of parameters of the query that the operation has not: refuse or pass.")]
    [AllowedValues("refuse", "pass")]
    string UnknownQuery = "pass",
    [Description("Bytes of a body that are held and checked, 0 to 1,048,576; 0: no bodies.")]
    [Range(0, OpenApiRules.MaxBodyBytes)]
    int BodyBytes = 65_536,
    [Description("What block does with a body that cannot be checked, being larger or compressed: refuse, or pass.")]
    [AllowedValues("refuse", "pass")]
    string Unseen = "refuse");

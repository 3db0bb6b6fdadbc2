using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>Callers that routes and listeners allow or deny: one change holds for all that name the list.</summary>
public sealed record AccessListSpec(
    [Description("Networks or addresses, such as 10.0.0.0/8 or 2001:db8::1.")]
    [Length(0, AccessRules.MaxEntries)]
    IReadOnlyList<string>? Clients = null,
    [Description("Users, as tokens name them.")]
    [Length(0, AccessRules.MaxEntries)]
    IReadOnlyList<string>? Users = null,
    [Description("Names of access keys and of signing keys, and fingerprints of certificates.")]
    [Length(0, AccessRules.MaxEntries)]
    IReadOnlyList<string>? Keys = null,
    [Description("Ids of tokens (jti): in a deny list, tokens that are revoked.")]
    [Length(0, AccessRules.MaxEntries)]
    IReadOnlyList<string>? Tokens = null,
    [Description("What the list is for, at most 512 characters.")]
    [StringLength(AccessListKind.MaxDescription)]
    string? Description = null);

/// <summary>The kind <c>access-list</c>.</summary>
public static class AccessListKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "access-list";

    /// <summary>Characters of a description.</summary>
    public const int MaxDescription = 512;

    public static Kind<AccessListSpec> Kind { get; } = new(Name, AccessListJson.Default.AccessListSpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "Callers that routes allow or deny, by network, user, key or token.",
        Validate = static (spec, faults) =>
        {
            AccessRules.CheckEntries("spec", spec.Clients, spec.Users, spec.Keys, spec.Tokens, faults);
            if (spec.Description?.Length > MaxDescription)
                faults.Add(new Wire.FieldFault("spec.description", $"must have {MaxDescription} characters at most"));
        },
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AccessListSpec))]
internal sealed partial class AccessListJson : JsonSerializerContext;

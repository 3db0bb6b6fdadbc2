using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>A secret that a caller signs his requests with.</summary>
public sealed record SigningKeySpec(
    [Description("The secret, 32 to 1,024 bytes.")]
    SecretText Secret,
    [Description("The secret before it, which is taken too until it is left out.")]
    SecretText? Previous = null,
    [Description("The user on whose behalf requests are signed.")]
    string? User = null,
    [Description("The tenant.")]
    string? Tenant = null,
    [Description("From then on it is refused; null: never.")]
    DateTimeOffset? ExpiresAt = null,
    [Description("Who uses it and for what, at most 512 characters.")]
    [StringLength(AccessListKind.MaxDescription)]
    string? Description = null);

/// <summary>The kind <c>signing-key</c>.</summary>
public static class SigningKeyKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "signing-key";

    /// <summary>Bytes of a secret: as many as the hash has.</summary>
    public const int LeastSecretBytes = 32;

    /// <summary>Bytes of a secret at most.</summary>
    public const int MostSecretBytes = 1_024;

    public static Kind<SigningKeySpec> Kind { get; } = new(Name, SigningKeyJson.Default.SigningKeySpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "A secret that a caller signs his requests with.",
        SecretFields = ["secret", "previous"],
        Validate = static (spec, faults) =>
        {
            CheckSecret("spec.secret", spec.Secret, faults);
            CheckSecret("spec.previous", spec.Previous, faults);
            if (spec.User is { } user) AccessRules.CheckText("spec.user", user, faults);
            if (spec.Tenant is { } tenant) AccessRules.CheckText("spec.tenant", tenant, faults);
            if (spec.Description?.Length > AccessListKind.MaxDescription)
                faults.Add(new FieldFault(
                    "spec.description", $"must have {AccessListKind.MaxDescription} characters at most"));
        },
    };

    // Null: it is in place already, and was checked when it came.
    private static void CheckSecret(string at, SecretText? secret, ICollection<FieldFault> faults)
    {
        if (secret?.Clear is { } clear
            && Encoding.UTF8.GetByteCount(clear) is < LeastSecretBytes or > MostSecretBytes)
            faults.Add(new FieldFault(at, $"must have {LeastSecretBytes} to {MostSecretBytes} bytes"));
    }
}

/// <summary>A signing key as requests need it.</summary>
internal sealed record SigningKey(byte[] Secret, byte[]? Previous, DateTimeOffset? ExpiresAt, CallerIdentity Identity)
{
    public static SecretKind<SigningKey> Table { get; } = new(SigningKeyKind.Name, Compile);

    // Null where its secret is masked.
    private static SigningKey? Compile(Resource resource, ReadOnlyMemory<byte> open)
    {
        var spec = resource.As<SigningKeySpec>();
        using var document = JsonDocument.Parse(open);
        if (SecretOf(document.RootElement, "secret") is not { } secret) return null;
        var caller = new Caller(spec.User, $"signing-key:{resource.Key.Namespace}/{resource.Key.Name}", spec.Tenant);
        return new SigningKey(
            secret, SecretOf(document.RootElement, "previous"), spec.ExpiresAt, new CallerIdentity(caller));
    }

    private static byte[]? SecretOf(JsonElement spec, string name) =>
        spec.TryGetProperty(name, out var secret) && secret.ValueKind == JsonValueKind.String
            ? Encoding.UTF8.GetBytes(secret.GetString()!) // It is text.
            : null;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SigningKeySpec))]
internal sealed partial class SigningKeyJson : JsonSerializerContext;

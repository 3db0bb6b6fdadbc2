using System.ComponentModel;
using System.Text;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Ciphers;

/// <summary>What values that begin with <c>{cipher}</c> are encrypted under.</summary>
public sealed record CipherKeySpec(
    [Description("The passphrase, encrypt.key of Spring's server: 1 to 1,024 bytes.")]
    SecretText Key,
    [Description("Hexadecimal, 8 to 128 digits; Spring's own unless given.")]
    string Salt = CipherKeyKind.DefaultSalt,
    [Description("What it is for, for people.")]
    string? Description = null);

/// <summary>The kind <c>cipher-key</c>: a key that Spring Cloud Config decrypts values under.</summary>
public static class CipherKeyKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "cipher-key";

    /// <summary>The salt of Spring's server where none is configured.</summary>
    public const string DefaultSalt = "deadbeef";

    /// <summary>The key that counts where a value names none; a key that is alone counts, too.</summary>
    public const string Default = "default";

    private const int MaxKeyBytes = 1_024;

    public static Kind<CipherKeySpec> Kind { get; } = new(Name, CipherKeyJson.Default.CipherKeySpec)
    {
        Module = SettingsModule.ModuleName,
        Summary = "A key that Spring Cloud Config encrypts and decrypts values under.",
        Namespaced = false,
        SecretFields = ["key"],
        Validate = Validate,
        ValidateNamed = static (key, _, faults) =>
        {
            if (!Names.IsSegment(key.Name)) faults.Add(new FieldFault("name", "must be one segment"));
        },
    };

    private static void Validate(CipherKeySpec spec, ICollection<FieldFault> faults)
    {
        if (spec.Key.Clear is { } clear && Encoding.UTF8.GetByteCount(clear) is 0 or > MaxKeyBytes)
            faults.Add(new FieldFault("spec.key", $"must have 1 to {MaxKeyBytes} bytes"));
        if (spec.Key.Clear is { } pem && pem.Contains("-----BEGIN", StringComparison.Ordinal))
            faults.Add(new FieldFault("spec.key", "must be a passphrase: keys of RSA are not taken"));
        if (spec.Salt.Length is < 8 or > 128 || spec.Salt.Length % 2 != 0 || !spec.Salt.All(char.IsAsciiHexDigit))
            faults.Add(new FieldFault("spec.salt", "must be an even number of hexadecimal digits, 8 to 128"));
        if (spec.Description is { Length: > SettingKind.MaxDescription })
            faults.Add(
                new FieldFault("spec.description", $"is longer than {SettingKind.MaxDescription} characters"));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CipherKeySpec))]
internal sealed partial class CipherKeyJson : JsonSerializerContext;

using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;

namespace Groundwork.Kernel.Tests.Security;

/// <summary>A kind with secrets in every place that a path can name.</summary>
internal sealed record Vault(
    string Note,
    SecretText? Pin = null,
    Lock? Door = null,
    IReadOnlyList<Person>? People = null,
    IReadOnlyDictionary<string, SecretText>? Boxes = null);

internal sealed record Lock(SecretText? Code = null, string? Maker = null);

internal sealed record Person(string Name, SecretText? Password = null);

internal static class VaultKinds
{
    public static Kind<Vault> Vault { get; } = new("vault", VaultJson.Default.Vault)
    {
        Module = "tests",
        Summary = "Keeps secrets.",
        Namespaced = false,
        SecretFields = ["pin", "door.code", "people.*.password", "boxes.*"],
    };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition =
        JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Vault))]
internal sealed partial class VaultJson : JsonSerializerContext;

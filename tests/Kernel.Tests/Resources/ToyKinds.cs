using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Kernel.Tests.Resources;

/// <summary>A small resident kind at version 2, with a rule, a rule between resources and a secret.</summary>
internal sealed record Toy(string Text, int Size = 0, string? Friend = null, SecretText? Token = null);

/// <summary>A stored kind: content that is too large to keep in memory.</summary>
internal sealed record Page(string Body);

internal static class ToyKinds
{
    public static Kind<Toy> Toy { get; } = new("toy", ToyJson.Default.Toy)
    {
        Module = "tests",
        Summary = "A thing to play with.",
        Version = 2,
        // Version 1 called the text a title.
        Converters = [static old =>
        {
            old["text"] = old["title"]?.DeepClone();
            old.Remove("title");
            return old;
        }],
        VersionOf = static spec => spec.TryGetProperty("title", out _) ? 1 : 2,
        SecretFields = ["token"],
        Validate = static (toy, faults) =>
        {
            if (toy.Size < 0) faults.Add(new FieldFault("spec.size", "must not be negative"));
            if (toy.Text.Length == 0) faults.Add(new FieldFault("spec.text", "must not be empty"));
        },
        ValidateAgainst = static (head, key, toy, faults) =>
        {
            if (toy?.Friend is { } friend && head.Find("toy", key.Namespace, friend) is null)
                faults.Add(new FieldFault("spec.friend", $"names the toy '{friend}', which does not exist"));
        },
    };

    public static Kind<Page> Page { get; } = new("page", ToyJson.Default.Page)
    {
        Module = "tests",
        Summary = "A page of text.",
        Residency = Residency.Stored,
    };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy =
        JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Toy))]
[JsonSerializable(typeof(Page))]
internal sealed partial class ToyJson : JsonSerializerContext;

using System.ComponentModel;
using System.Text.Json.Serialization;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The spec of a <c>namespace</c>: a place for resources, so that teams and environments do not meet.
/// </summary>
public sealed record NamespaceSpec(
    [Description("Whose it is and what for, at most 512 characters.")]
    string? Description = null);

/// <summary>
/// The kind <c>namespace</c>. Namespaces are written out, because a misspelt one would otherwise come into being
/// silently;
/// <c>default</c> always exists.
/// </summary>
public static class Namespaces
{
    public const string KindName = "namespace";

    private const int MaxDescriptionLength = 512;

    public static Kind<NamespaceSpec> Kind { get; } = new(KindName, NamespaceJson.Default.NamespaceSpec)
    {
        Module = "kernel",
        Summary = "A place for resources, so that teams and environments do not meet.",
        Namespaced = false,
        Validate = static (spec, faults) =>
        {
            if (spec.Description?.Length > MaxDescriptionLength)
                faults.Add(new FieldFault("spec.description", $"must be at most {MaxDescriptionLength} characters"));
        },
        ValidateAgainst = static (_, key, spec, faults) =>
        {
            if (spec is not null && !Names.IsNamespace(key.Name))
                faults.Add(new FieldFault("name", $"must be 1 to {Names.MaxNamespaceLength} of a-z 0-9 and -"));
        },
    };

    /// <summary>The fault of a name that no namespace can have.</summary>
    public static Fault Misnamed(string name) => new(
        ErrorCodes.NamespaceInvalid,
        $"'{name}' is not a namespace: 1 to {Names.MaxNamespaceLength} of a-z 0-9 and -.");

    internal static bool Exists(Snapshot snapshot, string name) =>
        name is "" or Names.DefaultNamespace || snapshot.Find(KindName, "", name) is not null;

    /// <summary>Refuses to delete a namespace that still has content.</summary>
    internal static Fault? CheckDelete(Snapshot after, ResourceKey key)
    {
        if (key.Kind != KindName) return null;
        var content = after.Kinds
            .Select(kind => (Kind: kind, Count: after.Of(kind).Keys.Count(other => other.Namespace == key.Name)))
            .Where(entry => entry.Count > 0)
            .OrderBy(entry => entry.Kind, StringComparer.Ordinal)
            .ToList();
        return content.Count == 0
            ? null
            : new Fault(
                ErrorCodes.NamespaceNotEmpty,
                $"Namespace '{key.Name}' still has content: "
                + $"{string.Join(", ", content.Select(entry => $"{entry.Count} of kind {entry.Kind}"))}.");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NamespaceSpec))]
internal sealed partial class NamespaceJson : JsonSerializerContext;

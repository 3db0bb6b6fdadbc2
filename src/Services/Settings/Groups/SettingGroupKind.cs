using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Groups;

/// <summary>
/// The kind <c>setting-group</c>: which other groups are read with a group of the same name and namespace, below it.
/// </summary>
public static class SettingGroupKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "setting-group";

    /// <summary>Groups that include groups, from the first to the last.</summary>
    public const int MaxLevels = 8;

    /// <summary>Groups that one comes to with all that it includes.</summary>
    public const int MaxGroups = 32;

    public static Kind<SettingGroupSpec> Kind { get; } = new(Name, SettingGroupJson.Default.SettingGroupSpec)
    {
        Module = SettingsModule.ModuleName,
        Summary = "Groups of settings that are read with another, below it.",
        Validate = Validate,
        ValidateAgainst = ValidateAgainst,
    };

    private static void Validate(SettingGroupSpec spec, ICollection<FieldFault> faults)
    {
        if (spec.Includes.Count is 0 or > MaxGroups - 1)
            faults.Add(new FieldFault("spec.includes", $"must have 1 to {MaxGroups - 1} groups"));
        foreach (var (at, group) in spec.Includes.Index())
        {
            if (group is null || !Names.IsSegment(group))
                faults.Add(new FieldFault($"spec.includes[{at}]", "must be a group: A-Z a-z 0-9 . _ : @ -"));
            else if (spec.Includes.Take(at).Contains(group))
                faults.Add(new FieldFault($"spec.includes[{at}]", $"names {group} a second time"));
        }
        if (spec.Description is { Length: > SettingKind.MaxDescription })
            faults.Add(
                new FieldFault("spec.description", $"is longer than {SettingKind.MaxDescription} characters"));
    }

    private static void ValidateAgainst(
        Snapshot head, ResourceKey key, SettingGroupSpec? spec, ICollection<FieldFault> faults)
    {
        if (key.Name.Contains('/', StringComparison.Ordinal))
            faults.Add(new FieldFault("name", "must be one segment, the name of the group"));
        if (spec is null || faults.Count > 0) return;
        // Whoever includes this group gets longer with it.
        foreach (var group in GroupOrder.Including(head, key.Namespace, key.Name))
        {
            if (GroupOrder.FindFault(head, key.Namespace, group) is not { } fault) continue;
            faults.Add(new FieldFault("spec.includes", group == key.Name ? fault : $"makes of {group}: {fault}"));
            return;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SettingGroupSpec))]
internal sealed partial class SettingGroupJson : JsonSerializerContext;

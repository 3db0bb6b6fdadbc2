using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Formats;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings;

/// <summary>
/// The kind <c>setting</c>: a text with a declared format, named <c>group/dataId</c> (the group is the first segment).
/// The text is checked in its format before it is committed, and a secret one is encrypted as a whole.
/// </summary>
public static class SettingKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "setting";

    /// <summary>Characters of a description: a line or two, it stands in lists.</summary>
    public const int MaxDescription = 512;

    public static Kind<SettingSpec> Kind { get; } = new(Name, SettingJson.Default.SettingSpec)
    {
        Module = SettingsModule.ModuleName,
        Summary = "A text that services read as configuration, with a format that is checked.",
        Residency = Residency.Stored,
        SecretFields = ["content"],
        SecretWhen = IsSecret,
        Validate = Validate,
        ValidateAgainst = ValidateName,
    };

    /// <summary>Splits a setting's name; null when it has no group.</summary>
    internal static (string Group, string DataId)? Split(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? null : (name[..slash], name[(slash + 1)..]);
    }

    private static bool IsSecret(JsonElement spec) =>
        spec.TryGetProperty("secret", out var secret) && secret.ValueKind == JsonValueKind.True;

    private static void Validate(SettingSpec spec, ICollection<FieldFault> faults)
    {
        if (spec.Description == MaskedContentJson.Masked)
            faults.Add(new FieldFault("spec.description", "must be text"));
        if (spec.Description is { Length: > MaxDescription })
            faults.Add(new FieldFault("spec.description", $"is longer than {MaxDescription} characters"));
        var format = ContentFormat.Find(spec.Format);
        if (format is null)
        {
            faults.Add(new FieldFault("spec.format", $"must be one of {ContentFormat.Names}"));
            return;
        }
        if (spec.Content == MaskedContentJson.Masked)
        {
            // What is in place was checked when it came.
            if (!spec.Secret)
                faults.Add(new FieldFault("spec.content", "is masked, which only a secret setting's may be"));
            return;
        }
        if (format.Check is null) return;
        var contentFaults = new ContentFaults(faults, spec.Secret);
        if (spec.Content.StartsWith('\uFEFF')) contentFaults.Add("starts with a byte order mark; leave it out", 1, 1);
        else format.Check(spec.Content, contentFaults);
    }

    private static void ValidateName(
        Snapshot head, ResourceKey key, SettingSpec? spec, ICollection<FieldFault> faults)
    {
        if (Split(key.Name) is null)
            faults.Add(new FieldFault("name", "must be group/dataId, such as shop/catalog.yaml"));
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(MaskedContentJson)])]
[JsonSerializable(typeof(SettingSpec))]
internal sealed partial class SettingJson : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Formats;
using Groundwork.Services.Settings.Sealing;
using Groundwork.Services.Settings.Releases;
using Groundwork.Services.Settings.Schemas;
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

    /// <summary>Keys that a setting remembers as promoted apart from the others.</summary>
    public const int MaxOriginKeys = 1_000;

    /// <summary>Where faults of a schema stand.</summary>
    internal const string SchemaPath = "spec.schema";

    /// <summary>The kind without what only a running node knows.</summary>
    public static Kind<SettingSpec> Kind { get; } = With(new SealedTexts());

    /// <summary>The kind as a node declares it.</summary>
    internal static Kind<SettingSpec> With(SealedTexts sealedTexts) => new(Name, SettingJson.Default.SettingSpec)
    {
        Module = SettingsModule.ModuleName,
        Summary = "A text that services read as configuration, with a format that is checked.",
        Residency = Residency.Stored,
        SecretFields = ["content"],
        SecretWhen = IsSecret,
        FreeFields = ["schema"],
        Validate = Validate,
        ValidateNamed = (key, spec, faults) => sealedTexts.Check(key.Namespace, spec.Format, spec.Content, faults),
        ValidateAgainst = ValidateName,
        ValidateAgainstStored = ValidateReleases,
    };

    /// <summary>The format that a setting of this name has when nothing else says so.</summary>
    public static string FormatOf(string name) => ContentFormat.Infer(name).Name;

    /// <summary>Splits a setting's name; null when it has no group.</summary>
    internal static (string Group, string DataId)? Split(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? null : (name[..slash], name[(slash + 1)..]);
    }

    internal static bool IsSecret(JsonElement spec) =>
        spec.TryGetProperty("secret", out var secret) && secret.ValueKind == JsonValueKind.True;

    private static void Validate(SettingSpec spec, ICollection<FieldFault> faults)
    {
        if (spec.Description == MaskedContentJson.Masked)
            faults.Add(new FieldFault("spec.description", "must be text"));
        if (spec.Description is { Length: > MaxDescription })
            faults.Add(new FieldFault("spec.description", $"is longer than {MaxDescription} characters"));
        if (spec.PromotedFrom is { } origin) Validate(origin, faults);
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
            if (spec.Schema is { } schema) SettingSchema.Check(spec, schema, faults);
            return;
        }
        CheckContent(spec, faults);
    }

    /// <summary>The faults of a text in its format, which is one of ours, and by its schema.</summary>
    internal static void CheckContent(SettingSpec spec, ICollection<FieldFault> faults)
    {
        var before = faults.Count;
        CheckFormat(spec, faults);
        if (faults.Count == before && spec.Schema is { } schema) SettingSchema.Check(spec, schema, faults);
    }

    private static void CheckFormat(SettingSpec spec, ICollection<FieldFault> faults)
    {
        if (ContentFormat.Find(spec.Format) is not { Check: { } check }) return;
        var contentFaults = new ContentFaults(faults, spec.Secret);
        if (spec.Content.StartsWith('\uFEFF')) contentFaults.Add("starts with a byte order mark; leave it out", 1, 1);
        else check(spec.Content, contentFaults);
    }

    internal static SettingSpec Read(ReadOnlyMemory<byte> spec) =>
        JsonSerializer.Deserialize(spec.Span, SettingJson.Default.SettingSpec)
        ?? throw new InvalidDataException("The spec of a setting is null.");

    /// <summary>What the setting's gray releases take for granted stays true for as long as there are any.</summary>
    private static void ValidateReleases(
        HeadView head, ResourceKey key, SettingSpec? spec, ICollection<FieldFault> faults)
    {
        // A text that stays as it is may have got another schema.
        if (spec is { Schema: not null, Content: MaskedContentJson.Masked } && head.Snapshot.Find(key) is { } own)
            CheckContent(spec with { Content = Read(head.Open(own)).Content }, faults);
        foreach (var rule in GrayReleaseKind.Of(head, key))
        {
            if (spec is null)
                faults.Add(new FieldFault("name", $"has the gray release {rule.Name}; delete that first, or with it"));
            else if (rule.Format is { } format && format != spec.Format)
                faults.Add(new FieldFault("spec.format", $"is not that of its gray release {rule.Name}, {format}"));
            else if (spec.Secret && !rule.Secret)
                faults.Add(
                    new FieldFault("spec.secret", $"is true, and its gray release {rule.Name} would be no secret"));
        }
    }

    private static void Validate(SettingOrigin origin, ICollection<FieldFault> faults)
    {
        if (!Names.IsNamespace(origin.Namespace))
            faults.Add(new FieldFault("spec.promotedFrom.namespace", "is not a namespace"));
        if (origin.Revision < 0 || origin.Keys?.Values.Any(revision => revision < 1) == true)
            faults.Add(new FieldFault("spec.promotedFrom", "has a revision that cannot be"));
        if (origin.Keys is { Count: > MaxOriginKeys })
            faults.Add(new FieldFault("spec.promotedFrom.keys", $"has more than {MaxOriginKeys} keys"));
    }

    private static void ValidateName(
        Snapshot head, ResourceKey key, SettingSpec? spec, ICollection<FieldFault> faults)
    {
        if (Split(key.Name) is null)
            faults.Add(new FieldFault("name", "must be group/dataId, such as shop/catalog.yaml"));
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(MaskedContentJson)])]
[JsonSerializable(typeof(SettingSpec))]
internal sealed partial class SettingJson : JsonSerializerContext;

using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Readers;
using Groundwork.Services.Settings.Sealing;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Releases;

/// <summary>
/// The kind <c>gray-release</c>: a text beside a setting's own, for some of its readers, with a history, a diff and an
/// approval of its own. It is checked like the setting.
/// </summary>
public static class GrayReleaseKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "gray-release";

    /// <summary>Releases of one setting at a time: more than a few, and nobody knows who has what.</summary>
    public const int MaxOfSetting = 16;

    /// <summary>Instances that one release lists; who means more means a percentage.</summary>
    public const int MaxInstances = 1_000;

    /// <summary>Priorities go from minus to plus this.</summary>
    public const int MaxPriority = 1_000;

    // By version of the release, which is one object for as long as a snapshot has it.
    private static readonly ConditionalWeakTable<Resource, ReleaseRule> Rules = [];

    /// <summary>The kind without what only a running node knows.</summary>
    public static Kind<GrayReleaseSpec> Kind { get; } = With(new SealedTexts());

    /// <summary>The kind as a node declares it.</summary>
    internal static Kind<GrayReleaseSpec> With(SealedTexts sealedTexts) =>
        new(Name, ReleaseJson.Default.GrayReleaseSpec)
    {
        Module = SettingsModule.ModuleName,
        Summary = "A text of a setting that only some of its readers receive.",
        Residency = Residency.Stored,
        SecretFields = ["content"],
        SecretWhen = SettingKind.IsSecret,
        Validate = Validate,
        ValidateNamed = (key, spec, faults) => sealedTexts.Check(key.Namespace, spec.Format, spec.Content, faults),
        ValidateAgainstStored = ValidateAgainst,
    };

    /// <summary>Whom a release of a snapshot is for.</summary>
    /// <param name="read">Reads its spec, which is done once for each version.</param>
    internal static ReleaseRule RuleOf(Resource release, Func<Resource, ReadOnlyMemory<byte>> read) =>
        Rules.GetValue(release, one => ReleaseRule.Of(one, Read(read(one))));

    /// <summary>The same without reading; null when it was not read yet.</summary>
    internal static ReleaseRule? KnownRuleOf(Resource release) =>
        Rules.TryGetValue(release, out var rule) ? rule : null;

    internal static GrayReleaseSpec Read(ReadOnlyMemory<byte> spec) =>
        JsonSerializer.Deserialize(spec.Span, ReleaseJson.Default.GrayReleaseSpec)
        ?? throw new InvalidDataException("A stored gray release is null.");

    /// <summary>The releases of one setting, in the order that they are asked in.</summary>
    internal static List<ReleaseRule> Of(HeadView head, ResourceKey setting)
    {
        var rules = head.Snapshot.Of(Name).Values
            .Where(release => release.Key.Namespace == setting.Namespace)
            .Select(release => RuleOf(release, head.Open))
            .Where(rule => rule.Setting == setting.Name)
            .ToList();
        rules.Sort(ReleaseRule.Compare);
        return rules;
    }

    private static void Validate(GrayReleaseSpec spec, ICollection<FieldFault> faults)
    {
        if (!Names.IsName(spec.Setting) || SettingKind.Split(spec.Setting) is null)
            faults.Add(new FieldFault("spec.setting", "must be the group/dataId of a setting"));
        if (Math.Abs((long)spec.Priority) > MaxPriority)
            faults.Add(new FieldFault("spec.priority", $"must be -{MaxPriority} to {MaxPriority}"));
        if (spec.Description == MaskedContentJson.Masked)
            faults.Add(new FieldFault("spec.description", "must be text"));
        if (spec.Description is { Length: > SettingKind.MaxDescription })
            faults.Add(
                new FieldFault("spec.description", $"is longer than {SettingKind.MaxDescription} characters"));
        if (spec.Content == MaskedContentJson.Masked && !spec.Secret)
            faults.Add(new FieldFault("spec.content", "is masked, which only a secret release's may be"));
        CheckReceivers(spec.To, "spec.to", faults);
    }

    internal static void CheckReceivers(GrayReceivers to, string path, ICollection<FieldFault> faults)
    {
        if (to.Instances is null && to.Labels is null && to.Percent is null)
            faults.Add(new FieldFault(path, "must have instances, labels or a percentage"));
        if (to.Instances is { } instances)
        {
            if (instances.Count is 0 or > MaxInstances)
                faults.Add(new FieldFault($"{path}.instances", $"must have 1 to {MaxInstances} entries"));
            foreach (var (at, instance) in instances.Index())
                if (!IsInstance(instance))
                    faults.Add(new FieldFault($"{path}.instances[{at}]", "must be service/id or service/*"));
        }
        if (to.Labels is { } labels) CheckLabels(labels, $"{path}.labels", faults);
        if (to.Percent is { } percent
            && (percent is < 0 or > 100 || decimal.Truncate(percent * 100) != percent * 100))
            faults.Add(new FieldFault($"{path}.percent", "must be 0 to 100 with at most two decimals"));
    }

    private static void CheckLabels(
        IReadOnlyDictionary<string, string> labels, string path, ICollection<FieldFault> faults)
    {
        if (labels.Count is 0 or > ReaderIdentity.MaxLabels)
            faults.Add(new FieldFault(path, $"must have 1 to {ReaderIdentity.MaxLabels} labels"));
        foreach (var (key, value) in labels)
        {
            if (!Names.IsSegment(key))
                faults.Add(new FieldFault(path, $"has the key '{key}', which is not made of A-Z a-z 0-9 . _ : @ -"));
            else if (value is null || value.Length > ReaderIdentity.MaxLabelLength || !ReaderText.IsPlain(value))
                faults.Add(new FieldFault(
                    $"{path}.{key}", $"must be text of at most {ReaderIdentity.MaxLabelLength} characters"));
        }
    }

    private static bool IsInstance(string? text) => text is not null
        && (text.EndsWith(ReleaseReceivers.AllInstances, StringComparison.Ordinal)
            ? ReaderIdentity.IsService(text[..^ReleaseReceivers.AllInstances.Length])
            : ReaderIdentity.TryParse(text, out _, out _));

    private static void ValidateAgainst(
        HeadView head, ResourceKey key, GrayReleaseSpec? spec, ICollection<FieldFault> faults)
    {
        if (key.Name.Contains('/', StringComparison.Ordinal))
            faults.Add(new FieldFault("name", "must be one segment, such as eu-prices"));
        if (spec is null) return;
        var settingKey = new ResourceKey(SettingKind.Name, key.Namespace, spec.Setting);
        if (head.Snapshot.Find(settingKey) is not { } resource)
        {
            faults.Add(new FieldFault("spec.setting", $"names {spec.Setting}, which does not exist"));
            return;
        }
        var setting = SettingKind.Read(head.Open(resource));
        if (setting.Secret && !spec.Secret)
            faults.Add(new FieldFault("spec.secret", $"must be true, because {spec.Setting} is a secret"));
        if (spec.Format is { } format && format != setting.Format)
            faults.Add(new FieldFault("spec.format", $"must be {setting.Format}, as that of {spec.Setting}"));
        if (Of(head, settingKey).Count > MaxOfSetting)
            faults.Add(new FieldFault("spec.setting", $"has {MaxOfSetting} gray releases already"));
        if (faults.Count > 0) return;
        var content = spec.Content;
        if (content == MaskedContentJson.Masked && head.Snapshot.Find(key) is { } own)
            content = Read(head.Open(own)).Content;
        SettingKind.CheckContent(setting with { Content = content, Secret = spec.Secret }, faults);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(MaskedContentJson)])]
[JsonSerializable(typeof(GrayReleaseSpec))]
internal sealed partial class ReleaseJson : JsonSerializerContext;

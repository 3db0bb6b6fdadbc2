using System.Text;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>The kind <c>config-source</c>: where Spring Cloud Config has files besides our settings.</summary>
public static class ConfigSourceKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "config-source";

    /// <summary>Sources of one node: each has a loop of its own, and perhaps a copy on the disk.</summary>
    public const int MaxSources = 64;

    /// <summary>Applications that one source names.</summary>
    public const int MaxApplications = 256;

    /// <summary>Folders that one source is looked through for.</summary>
    public const int MaxPaths = 16;

    /// <summary>Orders go from minus to plus this; our settings have 0.</summary>
    public const int MaxOrder = 1_000;

    /// <summary>Bytes of a secret.</summary>
    private const int MaxSecretBytes = 4_096;

    /// <summary>Characters of an address or a folder.</summary>
    private const int MaxAddress = 1_024;

    private static readonly string[] Placeholders = ["{application}", "{profile}", "{label}"];

    public static Kind<ConfigSourceSpec> Kind { get; } = new(Name, ConfigSourceJson.Default.ConfigSourceSpec)
    {
        Module = SettingsModule.ModuleName,
        Summary = "Where Spring Cloud Config has files from: a folder, a git or a Subversion repository.",
        Namespaced = false,
        SecretFields = ["password", "webhookSecret"],
        Validate = Validate,
        ValidateAgainst = ValidateAgainst,
    };

    private static void Validate(ConfigSourceSpec spec, ICollection<FieldFault> faults)
    {
        var places = new[] { spec.Folder, spec.Git, spec.Svn }.Count(place => place is not null)
            + (spec.Settings ? 1 : 0);
        if (places != 1)
            faults.Add(new FieldFault("spec", "must have exactly one of folder, git, svn and settings: true"));
        if (spec.Folder is { } folder && !IsFolder(folder))
            faults.Add(new FieldFault("spec.folder", "must be an absolute path without . and .."));
        if (spec.Git is { } git && SourceAddress.Explain(git, ["https", "ssh", "file"], spec.AllowHttp) is { } badGit)
            faults.Add(new FieldFault("spec.git", badGit));
        if (spec.Svn is { } svn && SourceAddress.Explain(svn, ["https", "svn", "file"], spec.AllowHttp) is { } badSvn)
            faults.Add(new FieldFault("spec.svn", badSvn));
        if (spec.Label is { } label && !SpringQuery.IsLabel(label))
            faults.Add(new FieldFault("spec.label", "must be a label, as git allows names of branches"));
        CheckPaths(spec.Paths ?? [], faults);
        CheckApplications(spec.Applications ?? [], faults);
        CheckNumber("spec.order", spec.Order, -MaxOrder, MaxOrder, faults);
        CheckNumber("spec.refreshSeconds", spec.RefreshSeconds, 1, 86_400, faults);
        CheckNumber("spec.timeoutSeconds", spec.TimeoutSeconds, 1, 3_600, faults);
        CheckNumber("spec.maxMegabytes", spec.MaxMegabytes, 1, 16_384, faults);
        if (!Names.IsNamespace(spec.Namespace))
            faults.Add(new FieldFault("spec.namespace", "must be a namespace"));
        if (spec.Username is { } user && (user.Length is 0 or > 255 || user.Any(char.IsControl)))
            faults.Add(new FieldFault("spec.username", "must be text of 1 to 255 characters"));
        if (spec.Password is not null && spec.Username is null)
            faults.Add(new FieldFault("spec.username", "must be there with a password"));
        CheckSecret("spec.password", spec.Password, 1, faults);
        CheckSecret("spec.webhookSecret", spec.WebhookSecret, 8, faults);
        if (spec.Description is { Length: > SettingKind.MaxDescription })
            faults.Add(
                new FieldFault("spec.description", $"is longer than {SettingKind.MaxDescription} characters"));
    }

    private static void ValidateAgainst(
        Snapshot head, ResourceKey key, ConfigSourceSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        var others = head.Of(Name).Where(one => one.Key != key).ToList();
        if (others.Count >= MaxSources)
            faults.Add(new FieldFault("name", $"is one too many: there are {MaxSources} sources already"));
        if (spec.Settings && others.Find(one => one.Value.As<ConfigSourceSpec>().Settings) is { Key.Name: { } first })
            faults.Add(new FieldFault("spec.settings", $"is said by {first} already"));
    }

    private static bool IsFolder(string folder) => folder.Length is > 1 and <= MaxAddress && folder[0] == '/'
        && !folder.Any(char.IsControl)
        && folder.TrimEnd('/').Split('/').Skip(1).All(part => part is not ("" or "." or ".."));

    private static void CheckPaths(IReadOnlyList<string> paths, ICollection<FieldFault> faults)
    {
        if (paths.Count > MaxPaths) faults.Add(new FieldFault("spec.paths", $"must have at most {MaxPaths} entries"));
        foreach (var (at, path) in paths.Index())
        {
            if (path == "/") continue;
            var plain = Placeholders.Aggregate(
                path, (text, one) => text.Replace(one, "x", StringComparison.Ordinal));
            if (plain.Length is 0 or > MaxAddress || plain.AsSpan().ContainsAny('{', '}', '\\')
                || plain.Any(char.IsControl) || plain.Split('/').Any(part => part.Length == 0 || part[0] == '.'))
                faults.Add(new FieldFault(
                    $"spec.paths[{at}]",
                    "must be / or a relative path without dot segments, with {application}, {profile} and {label}"));
        }
    }

    private static void CheckApplications(IReadOnlyList<string> applications, ICollection<FieldFault> faults)
    {
        if (applications.Count > MaxApplications)
            faults.Add(new FieldFault("spec.applications", $"must have at most {MaxApplications} entries"));
        foreach (var (at, application) in applications.Index())
        {
            var plain = application.EndsWith('*') ? application[..^1] : application;
            if (application.Length == 0 || application.Length > SpringQuery.MaxLength
                || plain.AsSpan().ContainsAny("*/\\,") || plain.Any(char.IsControl))
                faults.Add(new FieldFault(
                    $"spec.applications[{at}]", "must be an application, or how its name begins and *"));
        }
    }

    private static void CheckNumber(string path, int value, int least, int most, ICollection<FieldFault> faults)
    {
        if (value < least || value > most) faults.Add(new FieldFault(path, $"must be {least} to {most}"));
    }

    private static void CheckSecret(string path, SecretText? secret, int least, ICollection<FieldFault> faults)
    {
        if (secret?.Clear is { } clear && (clear.Any(char.IsControl)
            || Encoding.UTF8.GetByteCount(clear) < least || Encoding.UTF8.GetByteCount(clear) > MaxSecretBytes))
            faults.Add(new FieldFault(path, $"must have {least} to {MaxSecretBytes} bytes on one line"));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ConfigSourceSpec))]
internal sealed partial class ConfigSourceJson : JsonSerializerContext;

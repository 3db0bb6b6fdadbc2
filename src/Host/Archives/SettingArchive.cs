using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Host.CommandLine;
using Groundwork.Services.Settings;
using Groundwork.Wire;

namespace Groundwork.Host.Archives;

/// <summary>A setting on its way into or out of files.</summary>
/// <param name="Name"><c>group/dataId</c>.</param>
/// <param name="Spec">With its content: text, or masked as <c>{"secret": "sha256:…"}</c>.</param>
internal sealed record ArchivedSetting(string Name, JsonObject Spec, JsonObject? Labels = null)
{
    public string Group => Name[..Name.IndexOf('/', StringComparison.Ordinal)];

    public string DataId => Name[(Group.Length + 1)..];

    /// <summary>The text; null for a secret that is masked.</summary>
    public string? Text => Spec[SettingArchive.Content] is JsonValue value && value.TryGetValue<string>(out var text)
        ? text
        : null;
}

/// <summary>
/// Settings as files: one for each text, named as the setting, and a manifest for what a file's name cannot say. The
/// same in a folder and in a zip.
/// </summary>
internal static class SettingArchive
{
    /// <summary>A setting has a group, so its file is never beside this one.</summary>
    public const string Manifest = ".groundwork.json";

    /// <summary>Files of one archive: what one changeset takes, ten times over.</summary>
    public const int MaxFiles = 10_000;

    /// <summary>Bytes of all files, unpacked.</summary>
    public const long MaxBytes = 64L * 1024 * 1024;

    internal const string Content = "content";
    private const string File = "file";

    // Not a character of any name: a setting that is called as another's folder gets it.
    private const char Beside = '~';

    /// <summary>The files of an archive, in order of their names.</summary>
    public static SortedDictionary<string, byte[]> ToFiles(string @namespace, IReadOnlyList<ArchivedSetting> settings)
    {
        var folders = settings.SelectMany(one => FoldersOf(one.Name)).ToHashSet(StringComparer.Ordinal);
        if (folders.Contains(Manifest)) throw VerbFailure.Usage($"a group called {Manifest} cannot be a folder here");
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        var entries = new JsonArray();
        foreach (var setting in settings)
        {
            var spec = (JsonObject)setting.Spec.DeepClone();
            var entry = new JsonObject { ["name"] = setting.Name };
            if (setting.Text is { } text)
            {
                var path = folders.Contains(setting.Name) ? setting.Name + Beside : setting.Name;
                files[path] = Encoding.UTF8.GetBytes(text);
                // At its place, because the order of members is part of what is the same.
                spec[Content] = new JsonObject { [File] = path };
            }
            entry["spec"] = spec;
            if (setting.Labels is { Count: > 0 } labels) entry["labels"] = labels.DeepClone();
            entries.Add(entry);
        }
        var manifest = new JsonObject { ["namespace"] = @namespace, ["settings"] = entries };
        files[Manifest] = Encoding.UTF8.GetBytes(Output.Answer.ToJson(manifest, indented: true) + "\n");
        return files;
    }

    /// <summary>
    /// The settings of an archive's files. A file that the manifest does not know is a setting by its name alone, as is
    /// every one where there is no manifest.
    /// </summary>
    public static ImmutableArray<ArchivedSetting> FromFiles(IReadOnlyDictionary<string, byte[]> files)
    {
        var settings = new SortedDictionary<string, ArchivedSetting>(StringComparer.Ordinal);
        var used = new HashSet<string>(StringComparer.Ordinal) { Manifest };
        foreach (var entry in ReadManifest(files))
        {
            var setting = FromEntry(entry, files, used);
            if (!settings.TryAdd(setting.Name, setting))
                throw VerbFailure.Usage($"{Manifest} has {setting.Name} twice");
        }
        foreach (var (path, bytes) in files)
        {
            if (used.Contains(path)) continue;
            if (!IsSetting(path))
                throw VerbFailure.Usage($"the file {path} is no setting: its name must be group/dataId");
            var spec = new JsonObject { ["format"] = SettingKind.FormatOf(path), [Content] = TextOf(path, bytes) };
            if (!settings.TryAdd(path, new ArchivedSetting(path, spec)))
                throw VerbFailure.Usage($"{path} is a file and in {Manifest}, which names another file for it");
        }
        return [.. settings.Values];
    }

    private static ArchivedSetting FromEntry(
        JsonNode? entry, IReadOnlyDictionary<string, byte[]> files, HashSet<string> used)
    {
        try
        {
            var name = (string?)entry?["name"];
            if (name is null || !IsSetting(name) || entry?["spec"]?.DeepClone() is not JsonObject spec)
                throw VerbFailure.Usage($"{Manifest} has an entry without a right name and a spec");
            if (spec[Content] is JsonObject content && (string?)content[File] is { } path)
            {
                if (!files.TryGetValue(path, out var bytes))
                    throw VerbFailure.Usage($"{Manifest} names the file {path} of {name}, which is not there");
                used.Add(path);
                spec[Content] = TextOf(path, bytes);
            }
            return new ArchivedSetting(name, spec, entry["labels"]?.DeepClone() as JsonObject);
        }
        catch (InvalidOperationException)
        {
            throw VerbFailure.Usage($"{Manifest} has an entry whose name or file is no text");
        }
    }

    private static JsonArray ReadManifest(IReadOnlyDictionary<string, byte[]> files)
    {
        if (!files.TryGetValue(Manifest, out var bytes)) return [];
        try
        {
            return JsonNode.Parse(bytes)?["settings"] as JsonArray
                ?? throw VerbFailure.Usage($"{Manifest} has no list 'settings'");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw VerbFailure.Usage($"{Manifest} is not JSON as it was written: {fault.Message}");
        }
    }

    private static string TextOf(string path, byte[] bytes)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw VerbFailure.Usage($"the file {path} is not UTF-8 text, and settings are");
        }
    }

    private static bool IsSetting(string name) =>
        Names.IsName(name) && name.Contains('/', StringComparison.Ordinal);

    private static IEnumerable<string> FoldersOf(string name)
    {
        for (var at = name.IndexOf('/', StringComparison.Ordinal); at >= 0;
            at = name.IndexOf('/', at + 1)) yield return name[..at];
    }
}

using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Documents;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting.Configuration;

/// <summary>Gathers the keys that the file, the environment and the flags set, later ones over earlier ones.</summary>
internal sealed class SettingSources(ConfigurationSources sources, ICollection<FieldFault> faults)
{
    /// <summary>Bytes of a configuration file: hundreds of listeners fit; anything larger is some other file.</summary>
    private const long MaxFileBytes = 256 * 1024;

    private readonly Dictionary<string, Setting> settings = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, Setting> Read()
    {
        if (sources.File is { } file) ReadFile(Path.GetFullPath(file, sources.WorkingDirectory));
        ReadEnvironment();
        ReadFlags();
        return settings;
    }

    private void ReadFile(string path)
    {
        string text;
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                faults.Add(new FieldFault(
                    path, $"is larger than {MaxFileBytes} bytes, so it is hardly a process configuration"));
                return;
            }
            text = File.ReadAllText(path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            faults.Add(new FieldFault(path, $"cannot be read: {unreadable.Message}"));
            return;
        }
        var reading = YamlReader.Read(text);
        foreach (var fault in reading.Faults)
            faults.Add(fault with { Path = fault.Path.Length == 0 ? path : fault.Path });
        if (!reading.Succeeded || reading.Documents.IsEmpty) return;
        if (reading.Documents.Length > 1 || reading.Documents[0].Root is not JsonObject root)
        {
            faults.Add(new FieldFault(path, "must be one YAML mapping", 1, 1));
            return;
        }
        Flatten(root, "", reading.Documents[0], path);
    }

    private void Flatten(JsonObject node, string prefix, TextDocument document, string file)
    {
        foreach (var (name, value) in node)
        {
            var key = TextDocument.Below(prefix, name);
            var position = document.Locate(key);
            if (value is JsonObject below && (!ConfigurationNames.IsKnown(key) || ConfigurationNames.IsSwitch(key)))
            {
                Flatten(below, key, document, file);
                continue;
            }
            var setting = new Setting(
                key, ItemsOf(value), $"{file}:{position.Line}", key, Path.GetDirectoryName(file) ?? "/", position);
            if (!ConfigurationNames.IsKnown(key))
                faults.Add(setting.Wrong("is not a key of the process configuration" + Nearest(key)));
            else if (value is null or JsonObject
                || (value is JsonArray list && list.Any(item => item is not JsonValue)))
                faults.Add(setting.Wrong("must be a text, a number, a boolean, or a list of them"));
            else settings[key] = setting;
        }
    }

    private void ReadEnvironment()
    {
        foreach (var (name, value) in sources.Environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (!name.StartsWith(ConfigurationNames.Prefix, StringComparison.Ordinal)
                || ConfigurationNames.IsForeign(name)) continue;
            if (ConfigurationNames.FromEnvironment(name) is not { } key)
                faults.Add(new FieldFault(name, "is not a variable of the process configuration"));
            // An empty variable is how shells and unit files say "not set".
            else if (value.Length > 0)
                settings[key] = new Setting(key, [value], name, name, sources.WorkingDirectory);
        }
    }

    private void ReadFlags()
    {
        foreach (var (flag, key, value) in sources.Flags)
        {
            var setting = new Setting(key, [value], flag, flag, sources.WorkingDirectory);
            if (!ConfigurationNames.IsKnown(key))
                faults.Add(setting.Wrong($"sets '{key}', which is not a key of the process configuration"));
            else if (value.Length == 0) faults.Add(setting.Wrong("needs a value"));
            else settings[key] = setting;
        }
    }

    private static ImmutableArray<string> ItemsOf(JsonNode? value) => value switch
    {
        JsonArray list => [.. list.Select(item => item is null ? "" : TextOf(item))],
        null => [],
        _ => [TextOf(value)],
    };

    // Numbers and booleans as YAML wrote them, without JSON's quotes around texts.
    private static string TextOf(JsonNode value) =>
        value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();

    private static string Nearest(string key)
    {
        var near = ProcessConfiguration.Options
            .Select(option => option.Key)
            .FirstOrDefault(known => string.Equals(known, key, StringComparison.OrdinalIgnoreCase)
                || string.Equals(known, key.Replace("_", "", StringComparison.Ordinal)
                    .Replace("-", "", StringComparison.Ordinal),
                    StringComparison.OrdinalIgnoreCase));
        return near is null ? "" : $"; did you mean {near}?";
    }
}

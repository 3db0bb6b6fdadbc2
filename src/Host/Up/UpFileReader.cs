using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Documents;
using Groundwork.Wire;

namespace Groundwork.Host.Up;

/// <summary>
/// Reads <c>up.yaml</c> and tells everything that is wrong with it at once, each with line and column.
/// </summary>
internal sealed class UpFileReader
{
    private static readonly ImmutableArray<string> RootKeys = ["namespace", "services", "resources"];

    private static readonly ImmutableArray<string> ServiceKeys =
        ["command", "project", "replicas", "ports", "environment", "health", "dependsOn", "optional"];

    private readonly string directory;
    private readonly TextDocument document;
    private readonly List<FieldFault> faults = [];

    private UpFileReader(string directory, TextDocument document)
    {
        this.directory = directory;
        this.document = document;
    }

    /// <summary>Reads <c>up.yaml</c> in the directory.</summary>
    /// <returns>The file, or its faults with their places.</returns>
    public static (UpFile? File, ImmutableArray<FieldFault> Faults) Read(string directory)
    {
        directory = Path.GetFullPath(directory);
        var path = Path.Combine(directory, UpFile.FileName);
        if (!File.Exists(path)) return (null, [new FieldFault("", $"there is no {UpFile.FileName} in {directory}")]);
        var reading = YamlReader.Read(File.ReadAllText(path));
        if (!reading.Succeeded) return (null, reading.Faults);
        if (reading.Documents is not [var document])
            return (null, [new FieldFault("", "must hold one document", 1, 1)]);
        var reader = new UpFileReader(directory, document);
        var file = reader.ReadRoot();
        return reader.faults.Count == 0
            ? (file, [])
            : (null, [.. reader.faults.OrderBy(fault => fault.Line).ThenBy(fault => fault.Column)]);
    }

    private UpFile? ReadRoot()
    {
        if (document.Root is not JsonObject root)
        {
            Add("", "must be a mapping with 'services'");
            return null;
        }
        RefuseUnknown(root, "", RootKeys);
        var @namespace = Text(root, "namespace", "") ?? Names.DefaultNamespace;
        if (!Names.IsNamespace(@namespace))
            Add("namespace", $"'{@namespace}' is not a namespace: 1 to {Names.MaxNamespaceLength} of a-z, 0-9 and -");
        var services = ReadServices(root);
        var resources = Texts(root, "resources", "")
            .SelectMany((pattern, index) => Expand(pattern, $"resources[{index}]"));
        return new UpFile(directory, @namespace, InOrder(services), [.. resources.Distinct(StringComparer.Ordinal)]);
    }

    private List<ServiceDefinition> ReadServices(JsonObject root)
    {
        var services = new List<ServiceDefinition>();
        if (root["services"] is not JsonObject entries || entries.Count == 0)
        {
            Add("services", "must be a mapping from a service's name to what runs it");
            return services;
        }
        if (entries.Count > UpFile.MaxServices)
            Add("services", $"holds {entries.Count}, at most {UpFile.MaxServices} may be");
        foreach (var (name, entry) in entries)
        {
            var path = $"services.{name}";
            if (!ServiceDefinition.IsName(name))
                Add(path, $"'{name}' is not a service's name: 1 to {Names.MaxNamespaceLength} of A-Z, a-z, 0-9 and . "
                    + "_ : @ -");
            if (entry is JsonObject service) services.Add(ReadService(name, service, path));
            else Add(path, "must be a mapping with 'command' or 'project'");
        }
        CheckDependencies(services);
        return services;
    }

    private ServiceDefinition ReadService(string name, JsonObject service, string path)
    {
        RefuseUnknown(service, path, ServiceKeys);
        var command = Texts(service, "command", path);
        var project = Text(service, "project", path);
        var optional = Flag(service, "optional", path);
        if (service.ContainsKey("command") == service.ContainsKey("project"))
            Add(path, "needs exactly one of 'command' and 'project'");
        if (service.ContainsKey("command") && command is [] or ["", ..])
            Add($"{path}.command", "must start with the program to run");
        var health = Text(service, "health", path);
        if (health is not null && !health.StartsWith('/')) Add($"{path}.health", "must be a path that starts with /");
        return new ServiceDefinition(name)
        {
            Command = command,
            Project = project is null ? null : ProjectPath(project, $"{path}.project", optional),
            Replicas = Number(service, "replicas", path, 1, ServiceDefinition.MaxReplicas) ?? 1,
            Ports = Ports(service, path),
            Environment = Environment(service, path),
            Health = health,
            DependsOn = Texts(service, "dependsOn", path),
            Optional = optional,
        };
    }

    private string ProjectPath(string project, string path, bool optional)
    {
        var full = Path.GetFullPath(project, directory);
        if (!full.EndsWith("proj", StringComparison.Ordinal))
            Add(path, $"'{project}' must name a project file, such as x.csproj");
        else if (!optional && !File.Exists(full)) Add(path, $"there is no file {full}");
        return full;
    }

    private ImmutableArray<int> Ports(JsonObject service, string path)
    {
        if (service["ports"] is not { } value) return [];
        if (value is not JsonArray ports)
        {
            Add($"{path}.ports", "must be a list of port numbers, one per replica");
            return [];
        }
        var numbers = ImmutableArray.CreateBuilder<int>();
        for (var index = 0; index < ports.Count; index++)
        {
            if (ports[index] is JsonValue port && port.TryGetValue(out long number) && number is > 0 and <= 65_535)
                numbers.Add((int)number);
            else
                Add($"{path}.ports[{index}]", "must be a port number from 1 to 65535");
        }
        foreach (var twice in numbers.CountBy(port => port).Where(entry => entry.Value > 1))
            Add($"{path}.ports", $"names port {twice.Key} twice");
        return numbers.ToImmutable();
    }

    private ImmutableSortedDictionary<string, string> Environment(JsonObject service, string path)
    {
        if (service["environment"] is not { } value) return ImmutableSortedDictionary<string, string>.Empty;
        var result = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (value is not JsonObject variables)
        {
            Add($"{path}.environment", "must be a mapping from a variable to its text");
            return result.ToImmutable();
        }
        foreach (var (name, text) in variables)
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal))
                Add($"{path}.environment.{name}", "a variable's name must not be empty nor hold =");
            // Numbers and booleans are what people write here; a variable is text in any case.
            else if (text is JsonValue scalar) result[name] = scalar.ToString();
            else Add($"{path}.environment.{name}", "must be text");
        }
        return result.ToImmutable();
    }

    private void CheckDependencies(List<ServiceDefinition> services)
    {
        var names = services.Select(service => service.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var service in services)
        {
            for (var index = 0; index < service.DependsOn.Length; index++)
            {
                if (!names.Contains(service.DependsOn[index]))
                    Add($"services.{service.Name}.dependsOn[{index}]",
                        $"there is no service '{service.DependsOn[index]}'");
            }
        }
    }

    /// <summary>What a service depends on comes before it; a circle is a fault that names its members.</summary>
    private ImmutableArray<ServiceDefinition> InOrder(List<ServiceDefinition> services)
    {
        var ordered = ImmutableArray.CreateBuilder<ServiceDefinition>();
        var remaining = services.ToList();
        while (remaining.Count > 0)
        {
            var ready = remaining
                .Where(service => !remaining.Exists(
                    other => service.DependsOn.Contains(other.Name, StringComparer.Ordinal)))
                .ToList();
            if (ready.Count == 0)
            {
                var circle = string.Join(", ", remaining.Select(service => service.Name));
                Add($"services.{remaining[0].Name}.dependsOn",
                    $"these services wait for each other in a circle: {circle}");
                break;
            }
            ordered.AddRange(ready);
            remaining.RemoveAll(ready.Contains);
        }
        return ordered.ToImmutable();
    }

    private IEnumerable<string> Expand(string pattern, string path)
    {
        var full = Path.GetFullPath(pattern, directory);
        if (File.Exists(full)) return [full];
        var folder = Path.GetDirectoryName(full);
        var matches = folder is not null && Directory.Exists(folder) && Path.GetFileName(full) is { Length: > 0 } name
            ? Directory.GetFiles(folder, name).Order(StringComparer.Ordinal).ToArray()
            : [];
        if (matches.Length == 0) Add(path, $"there is no file {full}");
        return matches;
    }

    private string? Text(JsonObject entry, string key, string path)
    {
        if (!entry.TryGetPropertyValue(key, out var value)) return null;
        if (value is JsonValue text && text.GetValueKind() == JsonValueKind.String) return text.GetValue<string>();
        Add(TextPath(path, key), "must be text");
        return null;
    }

    private ImmutableArray<string> Texts(JsonObject entry, string key, string path)
    {
        if (!entry.TryGetPropertyValue(key, out var value)) return [];
        if (value is JsonArray items && items.All(item => item is JsonValue))
            return [.. items.Select(item => $"{item}")];
        Add(TextPath(path, key), "must be a list of texts");
        return [];
    }

    private int? Number(JsonObject entry, string key, string path, int least, int most)
    {
        if (!entry.TryGetPropertyValue(key, out var value)) return null;
        if (value is JsonValue scalar && scalar.TryGetValue(out long number) && number >= least && number <= most)
            return (int)number;
        Add(TextPath(path, key), $"must be a whole number from {least} to {most}");
        return null;
    }

    private bool Flag(JsonObject entry, string key, string path)
    {
        if (!entry.TryGetPropertyValue(key, out var value)) return false;
        if (value is JsonValue scalar && scalar.TryGetValue(out bool flag)) return flag;
        Add(TextPath(path, key), "must be true or false");
        return false;
    }

    private void RefuseUnknown(JsonObject entry, string path, ImmutableArray<string> known)
    {
        foreach (var (key, _) in entry)
        {
            if (!known.Contains(key, StringComparer.Ordinal))
                Add(TextPath(path, key), $"'{key}' is not known here; known are {string.Join(", ", known)}");
        }
    }

    private void Add(string path, string message) => faults.Add(document.Locate(new FieldFault(path, message)));

    private static string TextPath(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}

using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Host.CommandLine;
using Groundwork.Kernel.Documents;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Api;

/// <summary>A resource as a file writes it, and where.</summary>
/// <param name="Path">Path of the resource inside its document: empty, or <c>[3]</c> in a list.</param>
internal sealed record FiledResource(ResourceDocument Resource, string File, TextDocument Document, string Path)
{
    /// <summary>The fault with its place: <c>file:line:column: what</c>. Its path is below the resource.</summary>
    public string Describe(FieldFault fault)
    {
        var separator = Path.Length == 0 || fault.Path.Length == 0 || fault.Path[0] == '[' ? "" : ".";
        var (line, column) = Document.Locate($"{Path}{separator}{fault.Path}");
        return VerbFailure.Describe(File, fault with { Line = line, Column = column });
    }
}

/// <summary>
/// Reads the resources of <c>-f FILE|DIR|-</c>: YAML with any number of documents, or JSON with one resource or a list.
/// Everything wrong in all files is told at once, by file, line and column.
/// </summary>
internal sealed class ResourceFiles
{
    public const string StandardInput = "-";

    /// <summary>Characters of one file: as much as a changeset of the largest size can hold is far less.</summary>
    public const int MaxFileBytes = 64 * 1024 * 1024;

    private static readonly ImmutableArray<string> Extensions = [".yaml", ".yml", ".json"];

    private readonly List<FiledResource> resources = [];
    private readonly List<string> faults = [];

    private ResourceFiles()
    {
    }

    /// <summary>Reads all paths, in order; a directory's files in order of name, without those below it.</summary>
    public static ImmutableArray<FiledResource> Read(Surroundings surroundings, IEnumerable<string> paths)
    {
        var files = new ResourceFiles();
        foreach (var path in paths) files.ReadPath(surroundings, path);
        if (files.faults.Count > 0)
            throw VerbFailure.Usage($"the files have {Number(files.faults.Count)}; nothing was sent", files.faults);
        return files.resources.Count > 0
            ? [.. files.resources]
            : throw VerbFailure.Usage("the files hold no resource");
    }

    private void ReadPath(Surroundings surroundings, string path)
    {
        if (path == StandardInput)
        {
            ReadText("stdin", surroundings.Terminal.In.ReadToEnd());
            return;
        }
        var full = Path.GetFullPath(path, surroundings.WorkingDirectory);
        if (Directory.Exists(full))
        {
            var found = Directory.GetFiles(full)
                .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.Ordinal))
                .Order(StringComparer.Ordinal)
                .ToList();
            if (found.Count == 0) faults.Add($"{path}: holds no .yaml, .yml or .json file");
            foreach (var file in found) ReadFile(Path.Combine(path, Path.GetFileName(file)), file);
        }
        else if (File.Exists(full)) ReadFile(path, full);
        else faults.Add($"{path}: there is no such file or directory");
    }

    private void ReadFile(string name, string full)
    {
        if (new FileInfo(full).Length > MaxFileBytes) faults.Add($"{name}: is larger than {MaxFileBytes >> 20} MiB");
        else ReadText(name, File.ReadAllText(full));
    }

    private void ReadText(string name, string text)
    {
        // JSON is read by its own rules: YAML would take tabs and escapes otherwise.
        var json = Path.GetExtension(name) == ".json" || text.AsSpan().TrimStart() is ['{' or '[', ..];
        var reading = json ? JsonReader.Read(text) : YamlReader.Read(text);
        faults.AddRange(reading.Faults.Select(fault => VerbFailure.Describe(name, fault)));
        foreach (var document in reading.Documents)
        {
            if (document.Root is JsonArray list)
                for (var index = 0; index < list.Count; index++) AddResource(name, document, list[index], $"[{index}]");
            else
                AddResource(name, document, document.Root, "");
        }
    }

    private void AddResource(string name, TextDocument document, JsonNode? node, string path)
    {
        if (node is not JsonObject)
        {
            Fault(path, "must be a resource: a mapping with kind, name and spec");
            return;
        }
        try
        {
            var resource = node.Deserialize(WireJson.Strict.ResourceDocument)!; // An object never reads as null.
            resources.Add(new FiledResource(resource, name, document, path));
        }
        catch (JsonException fault)
        {
            Fault(Below(path, fault.Path), Plain(fault));
        }

        void Fault(string at, string message) =>
            faults.Add(VerbFailure.Describe(name, document.Locate(new FieldFault(at, message))));
    }

    private static string Below(string path, string? jsonPath)
    {
        var rest = (jsonPath ?? "$").TrimStart('$').TrimStart('.');
        return rest.Length == 0 ? path : path.Length == 0 ? rest : $"{path}.{rest}";
    }

    private static string Plain(JsonException fault)
    {
        const string Unmapped = "The JSON property '";
        if (fault.Message.StartsWith(Unmapped, StringComparison.Ordinal))
        {
            var property = fault.Message[Unmapped.Length..].Split('\'')[0];
            return $"'{property}' is not known here; known are kind, namespace, name, version, labels and spec";
        }
        const string Missing = "was missing required properties including: ";
        var missing = fault.Message.IndexOf(Missing, StringComparison.Ordinal);
        if (missing >= 0) return $"lacks {fault.Message[(missing + Missing.Length)..].TrimEnd('.')}";
        if (fault.Message.Contains("could not be converted", StringComparison.Ordinal))
            return "has the wrong type; text that looks like a number or a boolean takes quotes";
        var end = fault.Message.IndexOf(" Path: ", StringComparison.Ordinal);
        return end < 0 ? fault.Message : fault.Message[..end];
    }

    private static string Number(int count) => count == 1 ? "a fault" : $"{count} faults";
}

using System.Text.Json.Nodes;
using Groundwork.Kernel.Documents;

namespace Groundwork.Services.Settings.Formats;

/// <summary>
/// Feature flags: a document of JSON, when it begins with <c>{</c>, or of YAML. Its grammar and what each part means is
/// in docs/settings.md, by which readers evaluate it in their own processes; what passes here, every reader takes.
/// </summary>
internal static class FlagsFormat
{
    public const string Name = "flags";

    /// <summary>Whether the text is read as JSON.</summary>
    public static bool IsJson(string content) => content.AsSpan().TrimStart(" \t\r\n").StartsWith('{');

    public static void Check(string content, ContentFaults faults)
    {
        var isJson = IsJson(content);
        var reading = isJson ? JsonReader.Read(content) : YamlReader.Read(content);
        foreach (var fault in reading.Faults)
            faults.Quoting(isJson ? "JSON" : "YAML", fault.Message, fault.Line ?? 1, fault.Column ?? 1);
        if (!reading.Succeeded) return;
        switch (reading.Documents)
        {
            case []:
                faults.Add("is empty; a document without flags is 'flags: {}'", 1, 1);
                break;
            case [var only]:
                new FlagsCheck(only, faults).Check();
                break;
            case [_, var second, ..]:
                var (line, column) = second.Locate("");
                faults.Add("has a second document; a setting is one", line, column);
                break;
        }
    }
}

/// <summary>Checks the flags of one document, and adds a fault with its place for everything wrong.</summary>
internal sealed class FlagsCheck(TextDocument document, ContentFaults faults)
{
    /// <summary>Flags of one document; people look at them as a list.</summary>
    public const int MaxFlags = 1_000;

    private const string Flags = "flags";

    public void Check()
    {
        if (document.Root is not JsonObject root)
        {
            Add("", "must be an object with the member 'flags'");
            return;
        }
        Only(root, "", [Flags]);
        if (root[Flags] is not JsonObject flags)
        {
            Add(root.ContainsKey(Flags) ? Flags : "", "'flags' must be an object: name of the flag, and the flag");
            return;
        }
        if (flags.Count > MaxFlags) Add(Flags, $"has {flags.Count} flags, {MaxFlags} are allowed");
        foreach (var (name, flag) in flags)
        {
            if (faults.Full) return;
            new FlagCheck(this, name, $"{Flags}.{name}").Check(flag);
        }
    }

    /// <summary>A fault at the value of the path, or at the nearest that the text has above it.</summary>
    public void Add(string path, string message)
    {
        var (line, column) = document.Locate(path);
        faults.Quoting(FlagsFormat.Name, message, line, column);
    }

    /// <summary>Unknown members are faults: a misspelt condition would make its rule match everybody.</summary>
    public void Only(JsonObject of, string path, ReadOnlySpan<string> known)
    {
        foreach (var (name, _) in of)
        {
            if (known.Contains(name)) continue;
            Add(TextPath(path, name), $"'{name}' is not known here; there are {string.Join(", ", known)}");
        }
    }

    public static string TextPath(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}

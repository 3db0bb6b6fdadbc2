namespace Groundwork.Services.Settings.Texts;

internal enum NodeKind { Scalar, Map, List }

/// <summary>
/// A value of a JSON or YAML text with its place, or one that is to be written. One thread's alone: the copy that is
/// edited is made of these too.
/// </summary>
internal sealed class TextNode(NodeKind kind)
{
    public NodeKind Kind => kind;

    /// <summary>Place in the text it was read from, in UTF-16 units; meaningless for what is new.</summary>
    public int Start { get; init; }

    public int End { get; init; }

    /// <summary>Written with brackets, as all of JSON is.</summary>
    public bool IsFlow { get; init; }

    /// <summary>The text here only names an anchor; it cannot be edited at this place.</summary>
    public bool IsAlias { get; init; }

    /// <summary>Of a scalar, as configuration has it.</summary>
    public string? Value { get; init; }

    /// <summary>True for text; false for what the format tells apart from it: numbers, booleans, null.</summary>
    public bool IsText { get; init; }

    /// <summary>Of a scalar, on one line, as its format writes it.</summary>
    public string Raw { get; init; } = "";

    /// <summary>What stands before a scalar and belongs to it: its anchor.</summary>
    public string Lead { get; init; } = "";

    /// <summary>Members of a map, items of a list.</summary>
    public List<TextEntry> Entries { get; } = [];

    /// <summary>The node that this one is a copy of; null for what was read, and for what is new.</summary>
    public TextNode? Origin { get; private init; }

    /// <summary>A copy to be edited, which remembers what it was.</summary>
    public TextNode Copy()
    {
        var copy = new TextNode(kind)
        {
            Start = Start, End = End, IsFlow = IsFlow, IsAlias = IsAlias, Value = Value, IsText = IsText, Raw = Raw,
            Origin = this,
        };
        foreach (var entry in Entries) copy.Entries.Add(new TextEntry(entry.Name, entry.Node.Copy()) { Was = entry });
        return copy;
    }

    /// <summary>The same value, to be written at another place.</summary>
    public TextNode AsNew() => new(kind) { Value = Value, IsText = IsText, Raw = Raw };

    /// <summary>The member of this name, or the item of this number.</summary>
    public TextEntry? Find(string name) => kind == NodeKind.List
        ? int.TryParse(name, System.Globalization.CultureInfo.InvariantCulture, out var index)
            && index >= 0 && index < Entries.Count ? Entries[index] : null
        : Entries.Find(entry => entry.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Every key below, with the entries that lead to it.</summary>
    public IEnumerable<(string Key, IReadOnlyList<TextEntry> Path)> Flatten() => Flatten("", []);

    private IEnumerable<(string Key, IReadOnlyList<TextEntry> Path)> Flatten(string prefix, List<TextEntry> path)
    {
        for (var index = 0; index < Entries.Count; index++)
        {
            var entry = Entries[index];
            var name = kind == NodeKind.List ? $"{index}" : entry.Name;
            var key = prefix.Length == 0 ? name : $"{prefix}:{name}";
            path.Add(entry);
            if (entry.Node.Kind == NodeKind.Scalar) yield return (key, [.. path]);
            else foreach (var below in entry.Node.Flatten(key, path)) yield return below;
            path.RemoveAt(path.Count - 1);
        }
    }
}

/// <summary>A member of a map, or an item of a list, whose name is empty.</summary>
internal sealed class TextEntry(string name, TextNode node)
{
    public string Name => name;

    /// <summary>Where the key begins; the item itself for a list.</summary>
    public int KeyStart { get; init; }

    public TextNode Node { get; set; } = node;

    /// <summary>Taken away; the next pruning drops it.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>The entry that this one is a copy of.</summary>
    public TextEntry? Was { get; init; }
}

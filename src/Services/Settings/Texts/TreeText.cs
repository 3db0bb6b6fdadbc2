using System.Collections.Immutable;

namespace Groundwork.Services.Settings.Texts;

/// <summary>A JSON or YAML text in its keys.</summary>
internal sealed class TreeText : KeyedText
{
    private readonly TextNode root;
    private readonly bool isJson;
    private readonly ImmutableArray<(string Key, IReadOnlyList<TextEntry> Path)> places;

    private TreeText(TextNode root, string content, bool isJson)
        : base(content)
    {
        this.root = root;
        this.isJson = isJson;
        places = Distinct(root.Flatten(), place => place.Key);
        Keys = [.. places.Select(place => new TextKey(place.Key, place.Path[^1].Node.Value))];
    }

    public override IReadOnlyList<TextKey> Keys { get; }

    public static TreeText? Of(TextNode root, string content, bool isJson) =>
        root.Kind == NodeKind.Map ? new TreeText(root, content, isJson) : null;

    protected override KeyedText? Again(string content) => Read(isJson ? "json" : "yaml", content);

    protected override EditedText? Edit(KeyedText source, IReadOnlySet<string> keys, Func<string, bool> isRight)
    {
        var wanted = root.Copy();
        foreach (var (key, path) in wanted.Flatten().ToList())
            if (keys.Contains(key) && ((TreeText)source).Find(key) is null) path[^1].IsRemoved = true;
        if (!Prune(wanted)) return null;
        foreach (var (key, path) in ((TreeText)source).places)
            if (keys.Contains(key) && !Set(wanted, ((TreeText)source).root, path)) return null;
        var edited = new TreeEdit(Content, isJson).Apply(root, wanted);
        if (edited is not null && isRight(edited)) return new EditedText(edited, CommentsLost: false);
        var anew = TreeWriter.For(Content, isJson).WriteDocument(wanted);
        var hasComments = !isJson && Content.Contains('#', StringComparison.Ordinal);
        return isRight(anew) ? new EditedText(anew, CommentsLost: hasComments) : null;
    }

    private IReadOnlyList<TextEntry>? Find(string key)
    {
        foreach (var place in places)
            if (place.Key.Equals(key, StringComparison.OrdinalIgnoreCase)) return place.Path;
        return null;
    }

    /// <summary>
    /// Drops what was taken away, and what has become empty by it; false when a list would have a hole.
    /// </summary>
    private static bool Prune(TextNode node)
    {
        foreach (var entry in node.Entries)
        {
            var had = entry.Node.Entries.Count;
            if (!Prune(entry.Node)) return false;
            if (had > 0 && entry.Node.Entries.Count == 0) entry.IsRemoved = true;
        }
        if (node.Kind == NodeKind.List)
        {
            var kept = node.Entries.TakeWhile(entry => !entry.IsRemoved).Count();
            if (node.Entries.Skip(kept).Any(entry => !entry.IsRemoved)) return false;
        }
        node.Entries.RemoveAll(entry => entry.IsRemoved);
        return true;
    }

    /// <summary>Writes one value of the source at its place; false when something else stands in the way.</summary>
    private static bool Set(TextNode into, TextNode from, IReadOnlyList<TextEntry> path)
    {
        for (var step = 0; step < path.Count; step++)
        {
            var entry = path[step];
            var name = from.Kind == NodeKind.List ? $"{from.Entries.IndexOf(entry)}" : entry.Name;
            var last = step == path.Count - 1;
            var there = into.Find(name);
            if (into.Kind == NodeKind.Scalar) return false;
            if (there is null)
            {
                if (into.Kind == NodeKind.List && name != $"{into.Entries.Count}") return false;
                there = new TextEntry(
                    into.Kind == NodeKind.List ? "" : name,
                    last ? entry.Node.AsNew() : new TextNode(entry.Node.Kind));
                into.Entries.Add(there);
            }
            else if (last)
            {
                if (there.Node.Kind != NodeKind.Scalar) return false;
                there.Node = entry.Node.AsNew();
            }
            (into, from) = (there.Node, entry.Node);
        }
        return true;
    }
}

using System.Text;

namespace Groundwork.Services.Settings.Texts;

/// <summary>
/// Changes a JSON or YAML text at the places where a copy of its nodes differs from them, and nowhere else. What comes
/// out is read again by the caller: where an anchor, a tag or a layout is in the way it may be wrong, never silently.
/// </summary>
internal sealed class TreeEdit(string text, bool isJson)
{
    private readonly TreeWriter writer = TreeWriter.For(text, isJson);
    private readonly List<(int Start, int End, string Text)> edits = [];
    private bool possible = true;

    /// <summary>The changed text; null where it must be written anew.</summary>
    public string? Apply(TextNode root, TextNode wanted)
    {
        if (root.Entries.Count == 0 || wanted.Entries.Count == 0)
        {
            if (wanted.Entries.Count == root.Entries.Count) return text;
            if (!isJson) return null;
            Replace(root.Start, root.End, writer.WriteValue(wanted, ""));
        }
        else Reconcile(root, wanted);
        return possible ? Applied() : null;
    }

    private string? Applied()
    {
        var result = new StringBuilder(text.Length);
        var at = 0;
        foreach (var (start, end, put) in edits.OrderBy(edit => edit.Start).ThenBy(edit => edit.End))
        {
            if (start < at) return null; // Two edits touch the same text.
            result.Append(text, at, start - at).Append(put);
            at = end;
        }
        return result.Append(text, at, text.Length - at).ToString();
    }

    private void Reconcile(TextNode was, TextNode now)
    {
        if (was.IsFlow) Flow(was, now);
        else Block(was, now);
    }

    private void Flow(TextNode was, TextNode now)
    {
        if (now.Entries.Count == 0 || was.Entries.Count == 0)
        {
            if (now.Entries.Count != was.Entries.Count)
                Replace(was.Start, was.End, writer.WriteValue(now, IndentAt(was.Start)));
            return;
        }
        var kept = now.Entries.Where(entry => entry.Was is not null).ToList();
        if (kept.Count == 0)
        {
            Replace(was.Start, was.End, writer.WriteValue(now, IndentAt(was.Start)));
            return;
        }
        var order = kept.ConvertAll(entry => was.Entries.IndexOf(entry.Was!)); // Only those that were there are kept.
        if (order[0] > 0) Replace(was.Entries[0].KeyStart, was.Entries[order[0]].KeyStart, "");
        for (var index = 0; index < order.Count; index++)
        {
            var next = index + 1 < order.Count ? order[index + 1] : was.Entries.Count;
            if (next > order[index] + 1)
                Replace(was.Entries[order[index]].Node.End, was.Entries[next - 1].Node.End, "");
        }
        foreach (var entry in kept) FlowEntry(entry);
        var last = was.Entries[order[^1]];
        foreach (var added in now.Entries.Where(entry => entry.Was is null)) FlowAdd(now, last, added);
    }

    private void FlowEntry(TextEntry entry)
    {
        var before = entry.Was!.Node; // The caller has seen to it.
        if (ReferenceEquals(entry.Node.Origin, before))
        {
            if (before.Kind != NodeKind.Scalar) Descend(before, entry.Node);
            return;
        }
        Replace(before.Start, before.End, writer.WriteValue(entry.Node, IndentAt(before.Start)));
    }

    private void FlowAdd(TextNode parent, TextEntry last, TextEntry added)
    {
        var indent = IndentAt(last.KeyStart);
        var ownLine = StandsFirst(last.KeyStart);
        var at = last.Node.End;
        var entry = writer.WriteEntry(parent, added, indent, isFlow: true);
        Replace(at, at, ownLine ? $",{writer.LineEnd}{indent}{entry}" : $", {entry}");
    }

    private void Block(TextNode was, TextNode now)
    {
        var kept = now.Entries.Where(entry => entry.Was is not null).ToList();
        if (kept.Count == 0)
        {
            possible = false;
            return;
        }
        foreach (var entry in was.Entries)
            if (!kept.Exists(one => ReferenceEquals(one.Was, entry))) BlockRemove(was, entry);
        foreach (var entry in kept) BlockEntry(now, entry);
        var added = now.Entries.Where(entry => entry.Was is null).ToList();
        if (added.Count > 0) BlockAdd(was, now, added);
    }

    private void BlockEntry(TextNode parent, TextEntry entry)
    {
        var before = entry.Was!.Node; // The caller has seen to it.
        if (ReferenceEquals(entry.Node.Origin, before))
        {
            if (before.Kind != NodeKind.Scalar) Descend(before, entry.Node);
            return;
        }
        if (before.Kind == NodeKind.Scalar && entry.Node.Kind == NodeKind.Scalar)
        {
            var written = text[before.Start..before.End];
            if (before.Start == before.End) Replace(before.Start, before.End, " " + entry.Node.Raw);
            else Replace(
                before.Start, before.End,
                entry.Node.Raw + (written.EndsWith('\n') ? writer.LineEnd : ""));
            return;
        }
        if (parent.Kind != NodeKind.Map || !StandsFirst(entry.Was.KeyStart))
        {
            possible = false;
            return;
        }
        var indent = IndentAt(entry.Was.KeyStart);
        Replace(
            entry.Was.KeyStart, LastLineEnd(before),
            writer.WriteEntry(parent, entry, indent, isFlow: false) + writer.LineEnd);
    }

    private void BlockRemove(TextNode parent, TextEntry entry)
    {
        var line = LineStart(entry.KeyStart);
        var before = text[line..entry.KeyStart];
        var isAlone = parent.Kind == NodeKind.List
            ? before.TrimStart(' ').TrimEnd(' ') == "-"
            : before.AsSpan().Trim(' ').IsEmpty;
        if (isAlone)
        {
            Replace(line, LastLineEnd(entry.Node), "");
            return;
        }
        // The first key of a list's item shares its line with the dash: the next key moves up.
        var next = parent.Entries.IndexOf(entry) + 1;
        if (parent.Kind == NodeKind.Map && next < parent.Entries.Count)
            Replace(entry.KeyStart, parent.Entries[next].KeyStart, "");
        else possible = false;
    }

    private void BlockAdd(TextNode was, TextNode now, List<TextEntry> added)
    {
        var last = was.Entries[^1];
        var at = LastLineEnd(last.Node);
        var first = was.Entries[0].KeyStart;
        var column = (was.Kind == NodeKind.List ? was.Start : first) - LineStart(first);
        if (column < 0)
        {
            possible = false;
            return;
        }
        var indent = new string(' ', column);
        var lines = new StringBuilder();
        if (at > 0 && text[at - 1] != '\n') lines.Append(writer.LineEnd);
        foreach (var entry in added)
            lines.Append(indent).Append(writer.WriteEntry(now, entry, indent, isFlow: false)).Append(writer.LineEnd);
        Replace(at, at, lines.ToString());
    }

    private void Descend(TextNode before, TextNode now)
    {
        if (!before.IsAlias) Reconcile(before, now);
        else if (HasChanged(now)) possible = false;
    }

    private static bool HasChanged(TextNode node) => node.Origin is null
        || node.Entries.Count != node.Origin.Entries.Count
        || node.Entries.Exists(entry => entry.Was is null || HasChanged(entry.Node));

    private void Replace(int start, int end, string put) => edits.Add((start, end, put));

    /// <summary>The end of the last line that a value stands on.</summary>
    private int LastLineEnd(TextNode node)
    {
        var end = Extent(node);
        if (end > 0 && text[end - 1] == '\n') return end;
        var line = text.IndexOf('\n', end);
        return line < 0 ? text.Length : line + 1;
    }

    // The parser ends a block where the next thing begins, after comments that are not the block's.
    private static int Extent(TextNode node)
    {
        while (node is { IsFlow: false, IsAlias: false, Entries.Count: > 0 }) node = node.Entries[^1].Node;
        return node.End;
    }

    private int LineStart(int at) => at == 0 ? 0 : text.LastIndexOf('\n', at - 1) + 1;

    private bool StandsFirst(int at) => text.AsSpan(LineStart(at)..at).Trim(" \t").IsEmpty;

    private string IndentAt(int at)
    {
        var line = text.AsSpan(LineStart(at));
        return line[..(line.Length - line.TrimStart(" \t").Length)].ToString();
    }
}

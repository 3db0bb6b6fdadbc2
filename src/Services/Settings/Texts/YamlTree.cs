using Groundwork.Kernel.Documents;
using Groundwork.Wire;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Groundwork.Services.Settings.Texts;

/// <summary>Reads a YAML text into nodes with their places, aliases written out.</summary>
internal sealed class YamlTree
{
    private readonly Parser parser;
    private readonly string text;
    private readonly Dictionary<string, TextNode> anchors = new(StringComparer.Ordinal);
    private int nodes;

    private YamlTree(string text)
    {
        this.text = text;
        parser = new Parser(new StringReader(text));
    }

    /// <exception cref="FormatException">It is no single document, or over the bounds of the format.</exception>
    public static TextNode Read(string text) => new YamlTree(text).ReadStream();

    private TextNode ReadStream()
    {
        parser.Consume<StreamStart>();
        if (parser.TryConsume<StreamEnd>(out _))
            return new TextNode(NodeKind.Map) { Start = text.Length, End = text.Length };
        parser.Consume<DocumentStart>();
        var root = ReadNode(1);
        parser.Consume<DocumentEnd>();
        if (!parser.Accept<StreamEnd>(out _)) throw new FormatException("it has more than one document");
        return root is { Kind: NodeKind.Scalar, Value: null }
            ? new TextNode(NodeKind.Map) { Start = root.Start, End = root.End }
            : root;
    }

    private TextNode ReadNode(int depth)
    {
        if (depth > YamlReader.MaxDepth) throw new FormatException("it nests too deep");
        if (++nodes > YamlReader.MaxValues) throw new FormatException("it has too many values");
        switch (parser.Consume<ParsingEvent>())
        {
            case AnchorAlias alias:
                if (!anchors.TryGetValue(alias.Value.Value, out var target))
                    throw new FormatException("an alias names no anchor");
                return Alias(target, (int)alias.Start.Index, (int)alias.End.Index, depth);
            case Scalar scalar:
                return Anchored(scalar, ReadScalar(scalar));
            case MappingStart start:
                return Anchored(start, ReadMap(start, depth));
            case SequenceStart start:
                return Anchored(start, ReadList(start, depth));
            case var other:
                throw new FormatException($"line {other.Start.Line} has something that is no value");
        }
    }

    private TextNode Anchored(NodeEvent read, TextNode node)
    {
        if (!read.Anchor.IsEmpty) anchors[read.Anchor.Value] = node;
        return node;
    }

    // What an alias stands for is counted each time, or a few lines would be billions of values.
    private TextNode Alias(TextNode target, int start, int end, int depth)
    {
        if (depth > YamlReader.MaxDepth) throw new FormatException("it nests too deep");
        if (++nodes > YamlReader.MaxValues) throw new FormatException("it has too many values");
        var copy = new TextNode(target.Kind)
        {
            Start = start, End = end, IsAlias = true, Value = target.Value, IsText = target.IsText, Raw = target.Raw,
        };
        foreach (var entry in target.Entries)
            copy.Entries.Add(
                new TextEntry(entry.Name, Alias(entry.Node, start, end, depth + 1)) { KeyStart = start });
        return copy;
    }

    private TextNode ReadMap(MappingStart start, int depth)
    {
        var entries = new List<TextEntry>();
        while (!parser.Accept<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var name)) throw new FormatException(
                "it has a key that is not a scalar");
            entries.Add(new TextEntry(name.Value, ReadNode(depth + 1)) { KeyStart = (int)name.Start.Index });
        }
        var end = parser.Consume<MappingEnd>();
        return Closed(NodeKind.Map, entries, start, start.Style == MappingStyle.Flow, end);
    }

    private TextNode ReadList(SequenceStart start, int depth)
    {
        var entries = new List<TextEntry>();
        while (!parser.Accept<SequenceEnd>(out _))
        {
            var item = ReadNode(depth + 1);
            entries.Add(new TextEntry("", item) { KeyStart = item.Start });
        }
        var end = parser.Consume<SequenceEnd>();
        return Closed(NodeKind.List, entries, start, start.Style == SequenceStyle.Flow, end);
    }

    private static TextNode Closed(
        NodeKind kind, List<TextEntry> entries, ParsingEvent start, bool isFlow, ParsingEvent end)
    {
        var node = new TextNode(kind)
        {
            // The parser's token of a closing bracket has no length.
            Start = (int)start.Start.Index, End = (int)end.Start.Index + (isFlow ? 1 : 0), IsFlow = isFlow,
        };
        node.Entries.AddRange(entries);
        return node;
    }

    private TextNode ReadScalar(Scalar scalar)
    {
        var (start, end) = ((int)scalar.Start.Index, (int)scalar.End.Index);
        var isPlain = scalar is { Style: ScalarStyle.Plain, Tag.IsEmpty: true };
        var value = isPlain ? SettingSyntax.OfPlainScalar(scalar.Value) : scalar.Value;
        var written = text[start..end];
        var asItStands = scalar.Tag.IsEmpty && scalar.Anchor.IsEmpty
            && !written.Contains('\n', StringComparison.Ordinal)
            && scalar.Style is ScalarStyle.Plain or ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted;
        return new TextNode(NodeKind.Scalar)
        {
            Start = start,
            End = end,
            Value = value,
            Lead = scalar.Anchor.IsEmpty ? "" : $"&{scalar.Anchor.Value} ",
            IsText = !isPlain || CoreSchema.IsText(scalar.Value),
            Raw = asItStands && written.Length > 0 ? written : value is null ? "null" : TreeWriter.Quoted(value),
        };
    }
}

using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Groundwork.Wire;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Groundwork.Kernel.Documents;

/// <summary>
/// Reads YAML 1.2 as JSON: core schema, bounded aliases; duplicate keys, merge keys and foreign tags are faults with
/// line and column. Several documents in one text are several documents; empty ones are left out.
/// </summary>
public sealed class YamlReader
{
    /// <summary>Levels of nesting, as System.Text.Json allows by default.</summary>
    public const int MaxDepth = 64;

    /// <summary>Values of a text with its aliases written out: a "billion laughs" ends here.</summary>
    public const int MaxValues = 200_000;

    /// <summary>Faults after which reading stops; nobody reads more at once.</summary>
    public const int MaxFaults = 50;

    private const string TagPrefix = "tag:yaml.org,2002:";

    private readonly Dictionary<string, (JsonNode? Node, int Values, int Height)> anchors = new(StringComparer.Ordinal);
    private readonly HashSet<string> openAnchors = new(StringComparer.Ordinal);
    private readonly List<FieldFault> faults = [];
    private readonly Parser parser;
    private ImmutableDictionary<string, TextPosition>.Builder positions = NewPositions();
    private int values;

    private YamlReader(string text) => parser = new Parser(new Scanner(new StringReader(text), skipComments: true));

    public static TextReading Read(string text)
    {
        if (FindUnprintable(text) is { } place)
            return new TextReading(
                [], [new FieldFault("", "a character that YAML does not allow", place.Line, place.Column)]);
        var reader = new YamlReader(text);
        var documents = ImmutableArray.CreateBuilder<TextDocument>();
        try
        {
            reader.ReadStream(documents);
        }
        catch (YamlException fault)
        {
            // For a tab the parser names the mapping around it, not the tab.
            var (line, column) = fault.Message.Contains("tab as indentation", StringComparison.Ordinal)
                ? FindIndentingTab(text)
                : ToPosition(fault.Start);
            reader.faults.Add(new FieldFault("", Plain(fault), line, column));
        }
        catch (InvalidOperationException)
        {
            // The parser gives up without a word where a comment stands inside brackets that are never closed.
            var (line, column) = ToPosition(reader.parser.Current?.End ?? Mark.Empty);
            reader.faults.Add(new FieldFault("", "something after this is not closed", Math.Max(1, line), Math.Max(1,
                column)));
        }
        catch (TooMuchException fault)
        {
            reader.faults.Add(ToFault("", fault.Message, fault.Place));
        }
        return reader.faults.Count == 0
            ? new TextReading(documents.ToImmutable(), [])
            : new TextReading([], [.. reader.faults]);
    }

    private void ReadStream(ImmutableArray<TextDocument>.Builder documents)
    {
        parser.Consume<StreamStart>();
        while (!parser.Accept<StreamEnd>(out _))
        {
            var start = parser.Consume<DocumentStart>();
            if (start.Version is { Version: not { Major: 1, Minor: 2 } })
                Add("", "another version of YAML than 1.2 is declared", start.Start);
            anchors.Clear();
            positions = NewPositions();
            var empty = parser.Accept<Scalar>(out var first) && first is { IsPlainImplicit: true, Value: "" };
            var root = ReadValue("", depth: 1).Node;
            parser.Consume<DocumentEnd>();
            if (!empty) documents.Add(new TextDocument(root, positions.ToImmutable()));
        }
    }

    /// <summary>Reads a value, and the levels that it has itself.</summary>
    private (JsonNode? Node, int Height) ReadValue(string path, int depth)
    {
        var start = parser.Current!.Start; // Callers have accepted an event, so there is one.
        positions.TryAdd(path, ToPosition(start));
        Count(1, start);
        if (depth > MaxDepth) throw new TooMuchException($"nested deeper than {MaxDepth} levels", start);
        if (parser.TryConsume<AnchorAlias>(out var alias)) return Expand(alias, path, depth);

        var anchor = parser.Current is NodeEvent { Anchor.IsEmpty: false } node ? node.Anchor.Value : null;
        if (anchor is not null) openAnchors.Add(anchor);
        var before = values;
        (JsonNode? Node, int Height) value = parser.Current switch
        {
            Scalar scalar => (ReadScalar(scalar, path), 1),
            SequenceStart sequence => ReadSequence(sequence, path, depth),
            MappingStart mapping => ReadMapping(mapping, path, depth),
            var other => throw new YamlException(other.Start, other.End, "a value is expected here"),
        };
        if (anchor is not null)
        {
            openAnchors.Remove(anchor);
            anchors[anchor] = (value.Node, values - before + 1, value.Height);
        }
        return value;
    }

    private (JsonNode? Node, int Height) Expand(AnchorAlias alias, string path, int depth)
    {
        var name = alias.Value.Value;
        if (openAnchors.Contains(name))
        {
            Add(path, $"alias *{name} stands inside the value that it names", alias.Start);
            return (null, 1);
        }
        if (!anchors.TryGetValue(name, out var anchored))
        {
            Add(path, $"alias *{name} names no anchor", alias.Start);
            return (null, 1);
        }
        // A chain of aliases is as deep as the sum of its links, and whoever walks the result recurses so deep.
        if (depth + anchored.Height - 1 > MaxDepth)
            throw new TooMuchException($"nested deeper than {MaxDepth} levels with aliases written out", alias.Start);
        Count(anchored.Values - 1, alias.Start);
        return (anchored.Node?.DeepClone(), anchored.Height);
    }

    private JsonNode? ReadScalar(Scalar scalar, string path)
    {
        parser.MoveNext();
        var tag = scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific ? "" : scalar.Tag.Value;
        if (tag == TagPrefix + "str" || (tag.Length == 0 && !scalar.IsPlainImplicit))
            return JsonValue.Create(scalar.Value);
        if (tag is not ("" or TagPrefix + "null" or TagPrefix + "bool" or TagPrefix + "int" or TagPrefix + "float"))
        {
            Add(path, $"tag {tag} is not supported; write plain YAML", scalar.Start);
            return null;
        }
        if (CoreSchema.TryResolve(scalar.Value, out var value, out var fault)) return value;
        Add(path, fault!, scalar.Start); // TryResolve says why whenever it fails.
        return null;
    }

    private (JsonNode Node, int Height) ReadSequence(SequenceStart start, string path, int depth)
    {
        CheckTag(start, "seq", path);
        parser.MoveNext();
        var array = new JsonArray();
        var height = 0;
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            var item = ReadValue($"{path}[{array.Count}]", depth + 1);
            array.Add(item.Node);
            height = Math.Max(height, item.Height);
        }
        return (array, height + 1);
    }

    private (JsonNode Node, int Height) ReadMapping(MappingStart start, string path, int depth)
    {
        CheckTag(start, "map", path);
        parser.MoveNext();
        var mapping = new JsonObject();
        var height = 0;
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key))
            {
                var place = parser.Current!.Start; // The parser ends a mapping before it ends the stream.
                throw new YamlException(place, place, "a key must be a scalar");
            }
            var below = TextDocument.Below(path, key.Value);
            if (key is { Value: "<<", IsPlainImplicit: true })
                Add(below, "merge keys are not part of YAML 1.2; write the members out", key.Start);
            else if (mapping.ContainsKey(key.Value))
                Add(path, $"key '{key.Value}' stands here a second time; the first is on line {positions[below].Line}",
                    key.Start);
            positions.TryAdd(below, ToPosition(key.Start));
            var value = ReadValue(below, depth + 1);
            mapping[key.Value] = value.Node;
            height = Math.Max(height, value.Height);
        }
        return (mapping, height + 1);
    }

    private void CheckTag(NodeEvent start, string own, string path)
    {
        if (start.Tag.IsEmpty || start.Tag.IsNonSpecific || start.Tag.Value == TagPrefix + own) return;
        Add(path, $"tag {start.Tag.Value} is not supported; write plain YAML", start.Start);
    }

    private void Count(int more, Mark place)
    {
        values += more;
        if (values > MaxValues)
            throw new TooMuchException($"more than {MaxValues} values with aliases written out", place);
    }

    private void Add(string path, string message, Mark place)
    {
        faults.Add(ToFault(path, message, place));
        if (faults.Count == MaxFaults) throw new TooMuchException("and more faults; reading stopped here", place);
    }

    private static FieldFault ToFault(string path, string message, Mark place) =>
        new(path, message, (int)place.Line, (int)place.Column);

    private static TextPosition ToPosition(Mark mark) => new((int)mark.Line, (int)mark.Column);

    private static string Plain(YamlException fault) =>
        char.ToLowerInvariant(fault.Message[0]) + fault.Message[1..].TrimEnd('.');

    // The parser takes a NUL for the end of the text and never looks at what follows, so it must not meet one (YAML
    // 1.2.2, 5.1).
    private static TextPosition? FindUnprintable(string text)
    {
        var (line, lineStart) = (1, 0);
        for (var at = 0; at < text.Length; at++)
        {
            var c = text[at];
            if (c == '\n') (line, lineStart) = (line + 1, at + 1);
            if (c is '\t' or '\n' or '\r' or '\x85' or (>= ' ' and <= '~') or (>= '\xA0' and < '\uFFFE')) continue;
            return new TextPosition(line, at - lineStart + 1);
        }
        return null;
    }

    private static TextPosition FindIndentingTab(string text)
    {
        var line = 0;
        foreach (var content in text.AsSpan().EnumerateLines())
        {
            line++;
            var tab = content.IndexOf('\t');
            if (tab >= 0 && content[..tab].Trim(' ').IsEmpty) return new TextPosition(line, tab + 1);
        }
        return new TextPosition(1, 1);
    }

    private static ImmutableDictionary<string, TextPosition>.Builder NewPositions() =>
        ImmutableDictionary.CreateBuilder<string, TextPosition>(StringComparer.Ordinal);

    /// <summary>A bound was reached; reading stops. Never leaves this class.</summary>
    private sealed class TooMuchException(string message, Mark place) : Exception(message)
    {
        public Mark Place { get; } = place;
    }
}

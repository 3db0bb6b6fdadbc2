using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Groundwork.Wire;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Groundwork.Client.Settings;

/// <summary>
/// YAML 1.2 as keys, by its core schema: <c>true</c> and <c>false</c> are the only booleans, and <c>yes</c>, <c>no</c>,
/// <c>on</c> and <c>off</c> are text. One document.
/// </summary>
internal sealed partial class YamlSettingText
{
    /// <summary>Events replayed for aliases: a "billion laughs" ends here.</summary>
    private const int MaxReplayed = 200_000;

    private readonly Parser parser;
    private readonly SettingKeys keys;
    private readonly Dictionary<AnchorName, List<ParsingEvent>> anchors = [];
    private int replayed;

    private YamlSettingText(string text, SettingKeys keys)
    {
        parser = new Parser(new StringReader(text));
        this.keys = keys;
    }

    public static void Read(string text, SettingKeys keys)
    {
        var reader = new YamlSettingText(text, keys);
        var events = reader.Document();
        if (events.Count > 0) reader.Emit(events);
    }

    /// <summary>The same document as JSON, for what is more than keys; <c>null</c> when it is empty.</summary>
    public static ReadOnlyMemory<byte> ToJson(string text)
    {
        var events = new YamlSettingText(text, new SettingKeys()).Document();
        var written = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(written);
        if (events.Count == 0) json.WriteNullValue();
        else Emit(events, json);
        json.Flush();
        return written.WrittenMemory;
    }

    // The events of the only document, whose root is a mapping; none when there is nothing.
    private Queue<ParsingEvent> Document()
    {
        var events = new Queue<ParsingEvent>();
        parser.Consume<StreamStart>();
        if (parser.TryConsume<StreamEnd>(out _)) return events;
        parser.Consume<DocumentStart>();
        events = new Queue<ParsingEvent>(Node());
        if (events.Peek() is Scalar { IsPlainImplicit: true } scalar
            && SettingSyntax.OfPlainScalar(scalar.Value) is null) events.Clear();
        else if (events.Peek() is not MappingStart) throw new FormatException("its root is not a mapping");
        parser.Consume<DocumentEnd>();
        if (!parser.Accept<StreamEnd>(out _)) throw new FormatException("it has more than one document");
        return events;
    }

    // The events of one node with aliases written out, which is what makes an anchor's node usable again.
    private List<ParsingEvent> Node()
    {
        var node = new List<ParsingEvent>();
        AnchorName anchor = default;
        switch (parser.Consume<ParsingEvent>())
        {
            case AnchorAlias alias:
                if (!anchors.TryGetValue(alias.Value, out var target))
                    throw new FormatException(
                        $"alias '*{alias.Value}' on line {alias.Start.Line} has no anchor above it");
                replayed += target.Count;
                if (replayed > MaxReplayed) throw new FormatException($"its aliases repeat over {MaxReplayed} values");
                return target;
            case Scalar scalar:
                node.Add(scalar);
                anchor = scalar.Anchor;
                break;
            case MappingStart mapping:
                node.Add(mapping);
                while (!parser.Accept<MappingEnd>(out _)) node.AddRange(Nested());
                node.Add(parser.Consume<MappingEnd>());
                anchor = mapping.Anchor;
                break;
            case SequenceStart sequence:
                node.Add(sequence);
                while (!parser.Accept<SequenceEnd>(out _)) node.AddRange(Nested());
                node.Add(parser.Consume<SequenceEnd>());
                anchor = sequence.Anchor;
                break;
            case var other:
                throw new FormatException($"line {other.Start.Line} has something that is no value");
        }
        if (!anchor.IsEmpty) anchors[anchor] = node;
        return node;
    }

    private int depth;

    private List<ParsingEvent> Nested()
    {
        if (++depth > SettingKeys.MaxDepth)
            throw new FormatException($"it nests deeper than {SettingKeys.MaxDepth} levels");
        var node = Node();
        depth--;
        return node;
    }

    private void Emit(Queue<ParsingEvent> events)
    {
        switch (events.Dequeue())
        {
            case Scalar scalar:
                keys.Value(IsPlain(scalar) ? SettingSyntax.OfPlainScalar(scalar.Value) : scalar.Value);
                break;
            case MappingStart:
                while (events.Peek() is not MappingEnd)
                {
                    if (events.Dequeue() is not Scalar name)
                        throw new FormatException("it has a key that is not a scalar");
                    keys.Enter(name.Value);
                    Emit(events);
                    keys.Leave();
                }
                events.Dequeue();
                break;
            case SequenceStart:
                for (var index = 0; events.Peek() is not SequenceEnd; index++)
                {
                    keys.Enter(index.ToString(CultureInfo.InvariantCulture));
                    Emit(events);
                    keys.Leave();
                }
                events.Dequeue();
                break;
        }
    }

    private static void Emit(Queue<ParsingEvent> events, Utf8JsonWriter json)
    {
        switch (events.Dequeue())
        {
            case Scalar scalar when IsPlain(scalar):
                EmitPlain(scalar.Value, json);
                break;
            case Scalar scalar:
                json.WriteStringValue(scalar.Value);
                break;
            case MappingStart:
                json.WriteStartObject();
                while (events.Peek() is not MappingEnd)
                {
                    if (events.Dequeue() is not Scalar name)
                        throw new FormatException("it has a key that is not a scalar");
                    json.WritePropertyName(name.Value);
                    Emit(events, json);
                }
                events.Dequeue();
                json.WriteEndObject();
                break;
            case SequenceStart:
                json.WriteStartArray();
                while (events.Peek() is not SequenceEnd) Emit(events, json);
                events.Dequeue();
                json.WriteEndArray();
                break;
        }
    }

    private static void EmitPlain(string text, Utf8JsonWriter json)
    {
        var value = SettingSyntax.OfPlainScalar(text);
        if (value is null) json.WriteNullValue();
        else if (text is "true" or "True" or "TRUE" or "false" or "False" or "FALSE")
            json.WriteBooleanValue(value == bool.TrueString);
        else if (!NumberText().IsMatch(value)) json.WriteStringValue(value);
        else if (decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            json.WriteNumberValue(number);
        else json.WriteNumberValue(double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture));
    }

    // Integers and decimal numbers of the core schema.
    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?$", RegexOptions.None, 1000)]
    private static partial Regex NumberText();

    private static bool IsPlain(Scalar scalar) =>
        scalar is { Style: ScalarStyle.Plain, Tag.IsEmpty: true };
}

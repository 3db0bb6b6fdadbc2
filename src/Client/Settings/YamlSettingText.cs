using System.Globalization;
using System.Numerics;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Groundwork.Client.Settings;

/// <summary>
/// YAML 1.2 as keys, by its core schema: <c>true</c> and <c>false</c> are the only booleans, and <c>yes</c>, <c>no</c>,
/// <c>on</c> and <c>off</c> are text. One document.
/// </summary>
internal sealed class YamlSettingText
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

    public static void Read(string text, SettingKeys keys) => new YamlSettingText(text, keys).ReadStream();

    private void ReadStream()
    {
        parser.Consume<StreamStart>();
        if (parser.TryConsume<StreamEnd>(out _)) return;
        parser.Consume<DocumentStart>();
        var events = new Queue<ParsingEvent>(Node());
        if (events.Peek() is Scalar { IsPlainImplicit: true } scalar && Plain(scalar.Value) is null) events.Clear();
        else if (events.Peek() is not MappingStart) throw new FormatException("its root is not a mapping");
        else Emit(events);
        parser.Consume<DocumentEnd>();
        if (!parser.Accept<StreamEnd>(out _)) throw new FormatException("it has more than one document");
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
                keys.Value(IsPlain(scalar) ? Plain(scalar.Value) : scalar.Value);
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

    private static bool IsPlain(Scalar scalar) =>
        scalar is { Style: ScalarStyle.Plain, Tag.IsEmpty: true };

    // Values as the JSON of the same content would give them.
    private static string? Plain(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => bool.TrueString,
        "false" or "False" or "FALSE" => bool.FalseString,
        ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" => "Infinity",
        "-.inf" or "-.Inf" or "-.INF" => "-Infinity",
        ".nan" or ".NaN" or ".NAN" => "NaN",
        ['0', 'o', .. var digits] when digits.Length is > 0 and <= 64 && digits.All(c => c is >= '0' and <= '7') =>
            digits.Aggregate(BigInteger.Zero, (sum, digit) => (sum * 8) + (digit - '0'))
                .ToString(CultureInfo.InvariantCulture),
        ['0', 'x', .. var digits] when digits.Length is > 0 and <= 64 && digits.All(char.IsAsciiHexDigit) =>
            BigInteger.Parse("0" + digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                .ToString(CultureInfo.InvariantCulture),
        _ => text,
    };
}

using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Wire;

namespace Groundwork.Kernel.Documents;

/// <summary>
/// Reads JSON (RFC 8259) with the place of every value; duplicate names are faults with line and column.
/// </summary>
public sealed class JsonReader
{
    private readonly byte[] text;
    private readonly List<FieldFault> faults = [];
    private readonly ImmutableDictionary<string, TextPosition>.Builder positions =
        ImmutableDictionary.CreateBuilder<string, TextPosition>(StringComparer.Ordinal);

    // Tokens come in order, so lines are counted on from the last one.
    private int scanned;
    private int lineStart;
    private int line = 1;

    private JsonReader(string text) => this.text = Encoding.UTF8.GetBytes(text);

    public static TextReading Read(string text)
    {
        var reader = new JsonReader(text);
        try
        {
            var tokens = new Utf8JsonReader(reader.text, new JsonReaderOptions { MaxDepth = YamlReader.MaxDepth });
            tokens.Read();
            var root = reader.ReadValue(ref tokens, "");
            tokens.Read(); // Throws on anything after the document.
            if (reader.faults.Count == 0)
                return new TextReading([new TextDocument(root, reader.positions.ToImmutable())], []);
        }
        catch (JsonException fault)
        {
            var lines = (int)(fault.LineNumber ?? 0);
            var column = reader.Column(lines, (int)(fault.BytePositionInLine ?? 0));
            reader.faults.Add(new FieldFault("", Plain(fault), lines + 1, column));
        }
        catch (HalfSurrogateException fault)
        {
            reader.faults.Add(
                new FieldFault("", "half of a surrogate pair is no character", fault.Place.Line, fault.Place.Column));
        }
        return new TextReading([], [.. reader.faults]);
    }

    private JsonNode? ReadValue(ref Utf8JsonReader tokens, string path)
    {
        positions.TryAdd(path, Position((int)tokens.TokenStartIndex));
        switch (tokens.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(ref tokens, path);
            case JsonTokenType.StartArray:
                var array = new JsonArray();
                while (tokens.Read() && tokens.TokenType != JsonTokenType.EndArray)
                    array.Add(ReadValue(ref tokens, $"{path}[{array.Count}]"));
                return array;
            case JsonTokenType.String:
                return JsonValue.Create(Text(ref tokens));
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.True or JsonTokenType.False:
                return JsonValue.Create(tokens.GetBoolean());
            default:
                return JsonNode.Parse(tokens.ValueSpan); // A number: its digits are kept as they are.
        }
    }

    private JsonObject ReadObject(ref Utf8JsonReader tokens, string path)
    {
        var result = new JsonObject();
        while (tokens.Read() && tokens.TokenType != JsonTokenType.EndObject)
        {
            var name = Text(ref tokens);
            var below = TextDocument.Below(path, name);
            var (nameLine, column) = Position((int)tokens.TokenStartIndex);
            if (result.ContainsKey(name) && faults.Count < YamlReader.MaxFaults)
            {
                var first = positions[below].Line;
                faults.Add(new FieldFault(
                    path, $"key '{name}' stands here a second time; the first is on line {first}", nameLine, column));
            }
            positions.TryAdd(below, new TextPosition(nameLine, column));
            tokens.Read();
            result[name] = ReadValue(ref tokens, below);
        }
        return result;
    }

    // An escape such as \ud800 alone is JSON by its grammar, and no text.
    private string Text(ref Utf8JsonReader tokens)
    {
        try
        {
            return tokens.GetString()!; // Only null has no text, and callers have seen a string or a name.
        }
        catch (InvalidOperationException)
        {
            throw new HalfSurrogateException(Position((int)tokens.TokenStartIndex));
        }
    }

    private int Column(int lines, int bytes)
    {
        var rest = text.AsSpan();
        for (; lines > 0; lines--) rest = rest[(rest.IndexOf((byte)'\n') + 1)..];
        return Encoding.UTF8.GetCharCount(rest[..Math.Min(bytes, rest.Length)]) + 1;
    }

    private TextPosition Position(int index)
    {
        for (; scanned < index; scanned++)
        {
            if (text[scanned] != (byte)'\n') continue;
            line++;
            lineStart = scanned + 1;
        }
        return new TextPosition(line, Encoding.UTF8.GetCharCount(text.AsSpan(lineStart, index - lineStart)) + 1);
    }

    // The framework's message ends with the position, which the fault carries in its own fields.
    private static string Plain(JsonException fault)
    {
        if (fault.Message.Contains("does not contain any JSON tokens", StringComparison.Ordinal))
            return "the text is empty";
        var end = fault.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end < 0 ? fault.Message : fault.Message[..end])
            .Replace(
                "Expected depth to be zero at the end of the JSON payload. There is an open JSON object or array that "
                + "should be closed",
                "the text ends before an object or a list is closed",
                StringComparison.Ordinal)
            .Replace(" which is not supported in this mode. Change the reader options.", "", StringComparison.Ordinal)
            .TrimEnd('.');
    }

    /// <summary>Ends reading; never leaves this class.</summary>
    private sealed class HalfSurrogateException(TextPosition place) : Exception
    {
        public TextPosition Place { get; } = place;
    }
}

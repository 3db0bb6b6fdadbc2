using System.Text;
using System.Text.Json;

namespace Groundwork.Services.Settings.Texts;

/// <summary>Reads a JSON text into nodes with their places.</summary>
internal static class JsonTree
{
    /// <summary>Levels of nesting, as in the check of the format.</summary>
    public const int MaxDepth = 64;

    public static TextNode Read(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var tokens = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MaxDepth });
        var places = new Places(bytes);
        tokens.Read();
        var root = Read(ref tokens, places);
        tokens.Read(); // Throws on anything after the document.
        return root;
    }

    private static TextNode Read(ref Utf8JsonReader tokens, Places places)
    {
        var start = places.Of((int)tokens.TokenStartIndex);
        if (tokens.TokenType is JsonTokenType.StartObject) return ReadMap(ref tokens, places, start);
        if (tokens.TokenType is JsonTokenType.StartArray) return ReadList(ref tokens, places, start);
        return new TextNode(NodeKind.Scalar)
        {
            Start = start,
            End = places.Of((int)tokens.BytesConsumed),
            IsFlow = true,
            IsText = tokens.TokenType == JsonTokenType.String,
            Raw = places.Text((int)tokens.TokenStartIndex, (int)tokens.BytesConsumed),
            Value = tokens.TokenType switch
            {
                JsonTokenType.String => tokens.GetString(),
                JsonTokenType.True => bool.TrueString,
                JsonTokenType.False => bool.FalseString,
                JsonTokenType.Null => null,
                _ => Encoding.ASCII.GetString(tokens.ValueSpan),
            },
        };
    }

    private static TextNode ReadMap(ref Utf8JsonReader tokens, Places places, int start)
    {
        var entries = new List<TextEntry>();
        while (tokens.Read() && tokens.TokenType != JsonTokenType.EndObject)
        {
            var keyStart = places.Of((int)tokens.TokenStartIndex);
            var name = tokens.GetString() ?? "";
            tokens.Read();
            entries.Add(new TextEntry(name, Read(ref tokens, places)) { KeyStart = keyStart });
        }
        return Closed(NodeKind.Map, entries, start, places.Of((int)tokens.BytesConsumed));
    }

    private static TextNode ReadList(ref Utf8JsonReader tokens, Places places, int start)
    {
        var entries = new List<TextEntry>();
        while (tokens.Read() && tokens.TokenType != JsonTokenType.EndArray)
        {
            var item = Read(ref tokens, places);
            entries.Add(new TextEntry("", item) { KeyStart = item.Start });
        }
        return Closed(NodeKind.List, entries, start, places.Of((int)tokens.BytesConsumed));
    }

    private static TextNode Closed(NodeKind kind, List<TextEntry> entries, int start, int end)
    {
        var node = new TextNode(kind) { Start = start, End = end, IsFlow = true };
        node.Entries.AddRange(entries);
        return node;
    }

    /// <summary>UTF-16 places of UTF-8 ones; asked in rising order but for a few.</summary>
    private sealed class Places(byte[] bytes)
    {
        private int at;
        private int units;

        public int Of(int index)
        {
            if (index < at) (at, units) = (0, 0);
            units += Encoding.UTF8.GetCharCount(bytes, at, index - at);
            at = index;
            return units;
        }

        public string Text(int from, int to) => Encoding.UTF8.GetString(bytes, from, to - from);
    }
}

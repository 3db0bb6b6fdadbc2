using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Groundwork.Kernel.Schemas;

namespace Groundwork.Communication.Gateway.OpenApi.Requests;

/// <summary>
/// Reads JSON that two readers could not understand differently: no member stands twice, every text is one, every
/// number is within what programs hold.
/// </summary>
internal ref struct JsonBody
{
    /// <summary>Levels.</summary>
    public const int MaxDepth = 64;

    /// <summary>Values; each is an object in memory while the request is checked.</summary>
    public const int MaxValues = 50_000;

    private readonly FaultList faults;
    private readonly string root;
    private Utf8JsonReader reader;
    private int values;
    private bool failed;

    private JsonBody(ReadOnlySpan<byte> text, string root, FaultList faults)
    {
        this.root = root;
        this.faults = faults;
        // One more than there may be: then it is us who say so.
        reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth + 1 });
    }

    /// <param name="root">How the place is called, such as <c>body</c>.</param>
    /// <returns>False with a fault.</returns>
    public static bool TryRead(ReadOnlySpan<byte> text, string root, FaultList faults, out JsonNode? value)
    {
        value = null;
        if (!Utf8.IsValid(text))
        {
            faults.Add(root, "must be UTF-8");
            return false;
        }
        var body = new JsonBody(text, root, faults);
        try
        {
            if (!body.reader.Read()) return Fail(faults, root, 0);
            value = body.ReadValue(ValuePlace.Root);
            if (body.failed) return false;
            if (!body.reader.Read()) return true;
        }
        catch (JsonException)
        {
            // Told below, by the place alone: the message may have some of the text in it.
        }
        return Fail(faults, root, body.reader.BytesConsumed);
    }

    private static bool Fail(FaultList faults, string root, long at)
    {
        faults.Add(root, $"must be JSON; it is none from byte {at.ToString(CultureInfo.InvariantCulture)} on");
        return false;
    }

    private JsonNode? ReadValue(ValuePlace place)
    {
        if (++values > MaxValues) return Fail(ValuePlace.Root, $"has more than {MaxValues} values");
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject: return ReadObject(place);
            case JsonTokenType.StartArray: return ReadArray(place);
            case JsonTokenType.String: return TextOf(place) is { } text ? JsonValue.Create(text) : null;
            case JsonTokenType.Number: return ReadNumber(place);
            case JsonTokenType.True: return JsonValue.Create(true);
            case JsonTokenType.False: return JsonValue.Create(false);
            default: return null;
        }
    }

    private JsonObject? ReadObject(ValuePlace place)
    {
        if (reader.CurrentDepth >= MaxDepth)
        {
            Fail(place, $"is more than {MaxDepth} levels deep");
            return null;
        }
        var members = new JsonObject();
        while (!failed && reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            if (TextOf(place) is not { } name) return null;
            reader.Read();
            var below = place.Member(name);
            var value = ReadValue(below);
            if (!failed && !members.TryAdd(name, value)) Fail(below, "must be there once");
        }
        return members;
    }

    private JsonArray? ReadArray(ValuePlace place)
    {
        if (reader.CurrentDepth >= MaxDepth)
        {
            Fail(place, $"is more than {MaxDepth} levels deep");
            return null;
        }
        var items = new JsonArray();
        while (!failed && reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            items.Add(ReadValue(place.Item(items.Count)));
        return items;
    }

    private string? TextOf(ValuePlace place)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair as an escape: no text, whatever the service would make of it.
            Fail(place, "must be text; it has half of a character");
            return null;
        }
    }

    private JsonValue? ReadNumber(ValuePlace place)
    {
        // As it was written, so that 1.10 and 12345678901234567890 are held to the schema as they are.
        if (reader.TryGetInt64(out var whole)) return JsonValue.Create(whole);
        if (reader.ValueSpan.Length <= SchemaNumber.MaxDigits && reader.TryGetDouble(out var number)
            && double.IsFinite(number))
        {
            if (reader.ValueSpan.Length <= MaxPlainDigits && reader.ValueSpan.IndexOfAny((byte)'e', (byte)'E') < 0
                && reader.TryGetDecimal(out var exact)) return JsonValue.Create(exact);
            return JsonValue.Create(JsonElement.ParseValue(ref reader));
        }
        Fail(place, "must be a number within the range of numbers");
        return null;
    }

    /// <summary>Digits that a decimal holds without loss.</summary>
    private const int MaxPlainDigits = 28;

    private JsonNode? Fail(ValuePlace place, string message)
    {
        if (!failed) faults.Add(FaultList.WhereOf(root, place), message);
        failed = true;
        return null;
    }
}

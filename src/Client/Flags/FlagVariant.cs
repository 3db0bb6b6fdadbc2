using System.Text.Json;

namespace Groundwork.Client.Flags;

/// <summary>One answer of a flag: its value, and how often it was given.</summary>
internal sealed class FlagVariant(string name, JsonElement value, FlagExposures.Count count)
{
    // The value as it was asked for last; a flag is asked for as one type all the time.
    private object? read;

    public string Name => name;

    /// <summary>Null: not a boolean.</summary>
    public bool? Truth { get; } = value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    public void Count() => count.Add();

    /// <summary>The value as this type; false when it is none.</summary>
    public bool TryRead<T>(out T found)
    {
        if (Volatile.Read(ref read) is T known)
        {
            found = known;
            return true;
        }
        try
        {
            if (value.Deserialize<T>(JsonSerializerOptions.Web) is { } made)
            {
                Volatile.Write(ref read, made);
                found = made;
                return true;
            }
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException)
        {
            // Of another type: the caller has a value of its own for that.
        }
        found = default!; // Not looked at when the answer is false.
        return false;
    }
}

using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content;

/// <summary>Whether the client has an answer already, or the whole that it wants a part of (RFC 9110, 13).</summary>
internal static class Preconditions
{
    /// <summary>True when the client asks on a condition at all, other than for a range.</summary>
    public static bool Asks(FieldTable fields) =>
        fields.Has(KnownField.IfNoneMatch) || fields.TryGet("if-modified-since"u8, out _);

    /// <summary>True for conditions that only the origin can judge.</summary>
    public static bool AsksOrigin(FieldTable fields) =>
        fields.TryGet("if-match"u8, out _) || fields.TryGet("if-unmodified-since"u8, out _);

    /// <summary>True when the client has what it would be sent: 304.</summary>
    /// <param name="tag">The entity tag; empty when there is none.</param>
    /// <param name="modified">When it was last modified; null when that is not known.</param>
    public static bool HasIt(FieldTable fields, ReadOnlySpan<byte> tag, DateTimeOffset? modified)
    {
        if (fields.Has(KnownField.IfNoneMatch))
        {
            foreach (ref readonly var field in fields.Fields)
                if (field.Known == KnownField.IfNoneMatch && Matches(fields.ValueOf(field), tag)) return true;
            return false; // The date says nothing beside it.
        }
        return modified is { } last && fields.TryGet("if-modified-since"u8, out var since)
            && HttpDates.Read(since) is { } date && last <= date;
    }

    /// <summary>True when a range may be given: it is of the whole that the client has the rest of.</summary>
    public static bool IsOfSame(FieldTable fields, ReadOnlySpan<byte> tag, DateTimeOffset? modified)
    {
        if (!fields.TryGet("if-range"u8, out var known)) return true;
        if (known.StartsWith("\""u8)) return known.SequenceEqual(tag); // Strong alone.
        return !known.StartsWith("W/"u8) && modified is { } last && HttpDates.Read(known) == last;
    }

    private static bool Matches(ReadOnlySpan<byte> listed, ReadOnlySpan<byte> tag)
    {
        if (listed.SequenceEqual("*"u8)) return true;
        if (tag.IsEmpty) return false;
        var opaque = Opaque(tag);
        // Tags may have commas: they are read by their quotes.
        while (true)
        {
            var start = listed.IndexOf((byte)'"');
            if (start < 0) return false;
            var length = listed[(start + 1)..].IndexOf((byte)'"');
            if (length < 0) return false;
            if (listed.Slice(start, length + 2).SequenceEqual(opaque)) return true;
            listed = listed[(start + length + 2)..];
        }
    }

    private static ReadOnlySpan<byte> Opaque(ReadOnlySpan<byte> tag) => tag.StartsWith("W/"u8) ? tag[2..] : tag;
}

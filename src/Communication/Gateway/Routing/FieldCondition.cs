using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>Where a value of a request stands.</summary>
internal enum FieldPlace { Header, Query, Cookie }

/// <summary>
/// What one header field, parameter of the query or cookie must be. Where there are several of one name, any of them
/// may be it.
/// </summary>
internal sealed class FieldCondition
{
    /// <summary>Bytes of a value that are put on the stack to be decoded or searched.</summary>
    private const int StackBytes = 256;

    private readonly FieldPlace place;
    private readonly byte[] name;
    private readonly ImmutableArray<byte[]> values;
    private readonly byte[]? prefix;
    private readonly Regex? pattern;
    private readonly bool present;

    private FieldCondition(FieldPlace place, FieldMatch spec, Regex? pattern)
    {
        this.place = place;
        this.pattern = pattern;
        var written = place == FieldPlace.Header ? spec.Name.ToLowerInvariant() : spec.Name;
        name = Encoding.UTF8.GetBytes(written);
        values = spec.Values is { } list ? [.. list.Select(Encoding.UTF8.GetBytes)] : [];
        prefix = spec.Prefix is { } begin ? Encoding.UTF8.GetBytes(begin) : null;
        present = spec.Present ?? true;
        Text = $"{place.ToString().ToLowerInvariant()} {written} " + spec switch
        {
            { Values: { } all } => $"= {string.Join('|', all.Order(StringComparer.Ordinal))}",
            { Prefix: { } start } => $"begins with {start}",
            { Pattern: { } expression } => $"is like {expression}",
            { Present: false } => "is not there",
            _ => "is there",
        };
    }

    /// <summary>For people, and the same for conditions that say the same.</summary>
    public string Text { get; }

    /// <summary>False for one that this version does not understand.</summary>
    public static bool TryCompile(
        FieldPlace place, FieldMatch spec, [NotNullWhen(true)] out FieldCondition? condition)
    {
        condition = null;
        if (MatchRules.Explain(place, spec) is not null) return false;
        condition = new FieldCondition(place, spec, spec.Pattern is { } text ? PathPattern.Compile(text) : null);
        return true;
    }

    public bool Holds(in RequestView view) => place switch
    {
        FieldPlace.Header => HeaderHolds(view.Fields),
        FieldPlace.Query => QueryHolds(view.Query),
        _ => CookieHolds(view.Fields),
    };

    private bool HeaderHolds(IRequestFields fields)
    {
        var from = 0;
        while (fields.TryGetNext(name, ref from, out var value))
            if (!present || Is(value)) return present;
        return !present;
    }

    private bool CookieHolds(IRequestFields fields)
    {
        var from = 0;
        while (fields.TryGetNext("cookie"u8, ref from, out var cookies))
        {
            while (CookieText.TryTakeNext(ref cookies, out var cookie, out var value))
                if (cookie.SequenceEqual(name) && (!present || Is(value))) return present;
        }
        return !present;
    }

    private bool QueryHolds(ReadOnlySpan<byte> query)
    {
        while (QueryText.TryTakeNext(ref query, out var key, out var value))
            if (QueryText.Means(key, name) && (!present || IsDecoded(value))) return present;
        return !present;
    }

    private bool IsDecoded(ReadOnlySpan<byte> value)
    {
        if (!QueryText.IsEscaped(value)) return Is(value);
        var rented = value.Length > StackBytes ? ArrayPool<byte>.Shared.Rent(value.Length) : null;
        var decoded = rented is null ? stackalloc byte[StackBytes] : rented;
        var holds = Is(decoded[..QueryText.Decode(value, decoded)]);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return holds;
    }

    private bool Is(ReadOnlySpan<byte> value)
    {
        if (pattern is not null) return IsLike(pattern, value);
        if (prefix is not null) return value.StartsWith(prefix);
        if (values.IsEmpty) return true;
        foreach (var one in values)
            if (value.SequenceEqual(one)) return true;
        return false;
    }

    private static bool IsLike(Regex pattern, ReadOnlySpan<byte> value)
    {
        var rented = value.Length > StackBytes ? ArrayPool<char>.Shared.Rent(value.Length) : null;
        var text = rented is null ? stackalloc char[StackBytes] : rented;
        // Never longer than the bytes; what is no UTF-8 becomes U+FFFD, which patterns see as some character.
        var holds = pattern.IsMatch(text[..Encoding.UTF8.GetChars(value, text)]);
        if (rented is not null) ArrayPool<char>.Shared.Return(rented);
        return holds;
    }
}

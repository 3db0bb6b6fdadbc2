using System.Text;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>What a request or an answer says in <c>Cache-Control</c> (RFC 9111, 5.2). Seconds; -1: not said.</summary>
internal sealed record CacheControl
{
    /// <summary>Seconds that count as for ever (RFC 9111, 1.2.2).</summary>
    private const long Forever = int.MaxValue;

    /// <summary>Nothing is said.</summary>
    public static CacheControl None { get; } = new();

    public long MaxAge { get; private set; } = -1;

    public long SharedMaxAge { get; private set; } = -1;

    public long MinFresh { get; private set; } = -1;

    /// <summary><see cref="long.MaxValue"/> when any age will do.</summary>
    public long MaxStale { get; private set; } = -1;

    public long StaleWhileRevalidate { get; private set; } = -1;

    public long StaleIfError { get; private set; } = -1;

    public bool NoStore { get; private set; }

    public bool NoCache { get; private set; }

    public bool Private { get; private set; }

    public bool Public { get; private set; }

    public bool MustRevalidate { get; private set; }

    public bool ProxyRevalidate { get; private set; }

    public bool MustUnderstand { get; private set; }

    public bool OnlyIfCached { get; private set; }

    /// <summary>True when nothing may be given after its time.</summary>
    public bool ForbidsStale => MustRevalidate || ProxyRevalidate || SharedMaxAge >= 0 || NoCache;

    public static CacheControl Read(FieldTable fields)
    {
        if (!fields.Has(KnownField.CacheControl)) return None;
        var read = new CacheControl();
        foreach (ref readonly var field in fields.Fields)
        {
            if (field.Known != KnownField.CacheControl) continue;
            var rest = fields.ValueOf(field);
            while (TryNext(ref rest, out var name, out var value)) read.Take(name, value);
        }
        return read;
    }

    /// <summary>The same as before that field was known (RFC 9111, 5.4).</summary>
    public static CacheControl Pragma { get; } = new() { NoCache = true };

    private void Take(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Span<byte> lower = stackalloc byte[24];
        if (name.Length > lower.Length) return;
        Ascii.ToLower(name, lower, out var length);
        switch (lower[..length])
        {
            case var one when one.SequenceEqual("max-age"u8): MaxAge = Least(MaxAge, value); break;
            case var one when one.SequenceEqual("s-maxage"u8): SharedMaxAge = Least(SharedMaxAge, value); break;
            case var one when one.SequenceEqual("min-fresh"u8): MinFresh = Seconds(value); break;
            case var one when one.SequenceEqual("max-stale"u8):
                MaxStale = value.IsEmpty ? long.MaxValue : Seconds(value);
                break;
            case var one when one.SequenceEqual("stale-while-revalidate"u8):
                StaleWhileRevalidate = Least(StaleWhileRevalidate, value);
                break;
            case var one when one.SequenceEqual("stale-if-error"u8): StaleIfError = Least(StaleIfError, value); break;
            case var one when one.SequenceEqual("no-store"u8): NoStore = true; break;
            // With names of fields they mean those fields alone; we keep the whole or nothing.
            case var one when one.SequenceEqual("no-cache"u8): NoCache = true; break;
            case var one when one.SequenceEqual("private"u8): Private = true; break;
            case var one when one.SequenceEqual("public"u8): Public = true; break;
            case var one when one.SequenceEqual("must-revalidate"u8): MustRevalidate = true; break;
            case var one when one.SequenceEqual("proxy-revalidate"u8): ProxyRevalidate = true; break;
            case var one when one.SequenceEqual("must-understand"u8): MustUnderstand = true; break;
            case var one when one.SequenceEqual("only-if-cached"u8): OnlyIfCached = true; break;
        }
    }

    // Of two the shorter, and none for what is no number (RFC 9111, 4.2.1).
    private static long Least(long before, ReadOnlySpan<byte> value) =>
        before < 0 ? Seconds(value) : Math.Min(before, Seconds(value));

    private static long Seconds(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return 0;
        var seconds = 0L;
        foreach (var digit in value)
        {
            if (!char.IsAsciiDigit((char)digit)) return 0;
            seconds = Math.Min(Forever, (seconds * 10) + digit - '0');
        }
        return seconds;
    }

    private static bool TryNext(
        ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (!rest.IsEmpty)
        {
            var end = EndOf(rest);
            var element = rest[..end].Trim(" \t"u8);
            rest = end == rest.Length ? default : rest[(end + 1)..];
            if (element.IsEmpty) continue;
            var equals = element.IndexOf((byte)'=');
            name = equals < 0 ? element : element[..equals];
            value = equals < 0 ? default : element[(equals + 1)..];
            if (value.Length >= 2 && value[0] == '"' && value[^1] == '"') value = value[1..^1];
            return true;
        }
        name = value = default;
        return false;
    }

    // A comma between quotes ends nothing.
    private static int EndOf(ReadOnlySpan<byte> rest)
    {
        var quoted = false;
        for (var at = 0; at < rest.Length; at++)
        {
            if (rest[at] == '"') quoted = !quoted;
            else if (rest[at] == '\\' && quoted) at++;
            else if (rest[at] == ',' && !quoted) return at;
        }
        return rest.Length;
    }
}

using System.Text;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Compression;

/// <summary>Content codings that somebody here knows.</summary>
[Flags]
internal enum Coding
{
    None = 0,
    Gzip = 1,
    Brotli = 2,
    Deflate = 4,
    Zstandard = 8,
    Identity = 16,
    Other = 32,
}

/// <summary>Reads <c>Accept-Encoding</c> (RFC 9110, 12.5.3).</summary>
internal static class AcceptedCodings
{
    private const int MaxWeight = 1_000; // Three decimals.

    /// <summary>The coding to use of two, by what the client likes and then by our own order.</summary>
    public static Coding Choose(FieldTable fields, Coding first, Coding second)
    {
        if (!fields.Has(KnownField.AcceptEncoding)) return Coding.None;
        var one = WeightOf(fields, first);
        var other = second == Coding.None ? 0 : WeightOf(fields, second);
        if (one == 0 && other == 0) return Coding.None;
        // Who would rather have it plain is given it plain.
        if (WeightOf(fields, "identity"u8, whenAbsent: 0) > Math.Max(one, other)) return Coding.None;
        return other > one ? second : first;
    }

    /// <summary>What the client takes at all, however much it likes it.</summary>
    public static Coding All(FieldTable fields)
    {
        var all = Coding.None;
        foreach (ref readonly var field in fields.Fields)
        {
            if (field.Known != KnownField.AcceptEncoding) continue;
            var rest = fields.ValueOf(field);
            while (FieldTable.TryNextElement(ref rest, out var element))
            {
                var name = Read(element, out var weight);
                var coding = Find(name);
                // What it refuses expressly tells it from others as well as what it names beyond our knowledge.
                if (coding == Coding.Other || (weight == 0 && coding == Coding.Identity)) all |= Coding.Other;
                else if (weight > 0) all |= coding;
            }
        }
        return all;
    }

    public static string NameOf(Coding coding) => coding == Coding.Brotli ? "br" : "gzip";

    private static int WeightOf(FieldTable fields, Coding coding) =>
        WeightOf(fields, coding == Coding.Brotli ? "br"u8 : "gzip"u8, WeightOf(fields, "*"u8, 0));

    private static int WeightOf(FieldTable fields, ReadOnlySpan<byte> wanted, int whenAbsent)
    {
        foreach (ref readonly var field in fields.Fields)
        {
            if (field.Known != KnownField.AcceptEncoding) continue;
            var rest = fields.ValueOf(field);
            while (FieldTable.TryNextElement(ref rest, out var element))
            {
                var name = Read(element, out var weight);
                if (Ascii.EqualsIgnoreCase(name, wanted)
                    || (wanted.SequenceEqual("gzip"u8) && Ascii.EqualsIgnoreCase(name, "x-gzip"u8))) return weight;
            }
        }
        return whenAbsent;
    }

    private static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> element, out int weight)
    {
        weight = MaxWeight;
        var semicolon = element.IndexOf((byte)';');
        if (semicolon < 0) return element;
        var name = element[..semicolon].TrimEnd(" \t"u8);
        var parameter = element[(semicolon + 1)..].Trim(" \t"u8);
        // A weight that is none means no.
        weight = parameter.Length >= 3 && (parameter[0] | 0x20) == 'q' && parameter[1] == '='
            ? ReadWeight(parameter[2..]) : 0;
        return name;
    }

    private static int ReadWeight(ReadOnlySpan<byte> text)
    {
        if (text.Length > 5 || text[0] is not ((byte)'0' or (byte)'1') || (text.Length > 1 && text[1] != '.')) return 0;
        var (weight, digit) = ((text[0] - '0') * MaxWeight, MaxWeight / 10);
        for (var index = 2; index < text.Length; index++, digit /= 10)
        {
            if (!char.IsAsciiDigit((char)text[index])) return 0;
            weight += (text[index] - '0') * digit;
        }
        return Math.Min(weight, MaxWeight);
    }

    private static Coding Find(ReadOnlySpan<byte> name) =>
        Ascii.EqualsIgnoreCase(name, "gzip"u8) || Ascii.EqualsIgnoreCase(name, "x-gzip"u8) ? Coding.Gzip
        : Ascii.EqualsIgnoreCase(name, "br"u8) ? Coding.Brotli
        : Ascii.EqualsIgnoreCase(name, "deflate"u8) ? Coding.Deflate
        : Ascii.EqualsIgnoreCase(name, "zstd"u8) ? Coding.Zstandard
        : Ascii.EqualsIgnoreCase(name, "identity"u8) ? Coding.Identity
        : Coding.Other;
}

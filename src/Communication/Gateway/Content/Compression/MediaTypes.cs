using System.Collections.Immutable;
using System.Text;

namespace Groundwork.Communication.Gateway.Content.Compression;

/// <summary>Media types that are compressed.</summary>
internal sealed class MediaTypes
{
    private static readonly string[] Usual =
    [
        "text/*", "application/json", "application/problem+json", "application/ld+json", "application/manifest+json",
        "application/graphql-response+json", "application/javascript", "application/xml", "application/xhtml+xml",
        "application/rss+xml", "application/atom+xml", "application/wasm", "application/yaml", "image/svg+xml",
        "application/vnd.ms-fontobject", "font/ttf", "font/otf",
    ];

    private static readonly byte[] Events = "text/event-stream"u8.ToArray();

    private readonly ImmutableArray<byte[]> types;
    private readonly ImmutableArray<byte[]> prefixes;
    private readonly bool takesEvents;

    public MediaTypes(IReadOnlyList<string>? listed)
    {
        var parsed = (listed ?? Usual).Select(TryParse).OfType<byte[]>().ToList();
        prefixes = [.. parsed.Where(one => one[^1] == '/')];
        types = [.. parsed.Where(one => one[^1] != '/')];
        takesEvents = types.Any(one => one.AsSpan().SequenceEqual(Events));
    }

    /// <summary>The bytes to compare with, up to its slash for a whole group; null for what is no type.</summary>
    public static byte[]? TryParse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == text.Length - 1 || text.Length > 128) return null;
        foreach (var one in text)
            if (!char.IsAsciiLetterLower(one) && !char.IsAsciiDigit(one) && !"/+-.*_".Contains(one)) return null;
        if (text.IndexOf('/', slash + 1) >= 0) return null;
        if (text[(slash + 1)..] == "*") return Encoding.ASCII.GetBytes(text[..(slash + 1)]);
        return text.Contains('*', StringComparison.Ordinal) ? null : Encoding.ASCII.GetBytes(text);
    }

    public static bool IsEvents(ReadOnlySpan<byte> contentType) =>
        Ascii.EqualsIgnoreCase(NameOf(contentType), Events);

    /// <param name="contentType">The field's value, with its parameters.</param>
    public bool Has(ReadOnlySpan<byte> contentType)
    {
        var name = NameOf(contentType);
        if (name.IsEmpty) return false;
        if (Ascii.EqualsIgnoreCase(name, Events)) return takesEvents;
        foreach (var type in types)
            if (Ascii.EqualsIgnoreCase(name, type)) return true;
        foreach (var prefix in prefixes)
            if (name.Length > prefix.Length && Ascii.EqualsIgnoreCase(name[..prefix.Length], prefix)) return true;
        return false;
    }

    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> contentType)
    {
        var end = contentType.IndexOf((byte)';');
        return (end < 0 ? contentType : contentType[..end]).Trim((byte)' ');
    }
}

using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>
/// Writes what an answer of a route is kept under: the route, and the address of what is asked for as the service may
/// see it, each on a line: scheme, authority with its port, path, query.
/// </summary>
internal sealed class CacheKeyForm(Kernel.Resources.ResourceKey route, CacheSpec spec)
{
    /// <summary>Parameters that are put in order; of more the query counts as sent.</summary>
    private const int MaxSorted = 128;

    private readonly byte[] prefix = PrefixOf(route);

    private readonly ImmutableArray<byte[]> listed =
        [.. (spec.QueryNames ?? []).Select(Encoding.UTF8.GetBytes)];

    /// <summary>What all keys of a route begin with.</summary>
    public static byte[] PrefixOf(Kernel.Resources.ResourceKey route) =>
        Encoding.UTF8.GetBytes($"{route.Namespace}/{route.Name}\n");

    /// <summary>Writes the key into a buffer that the caller gives back to the shared pool.</summary>
    public byte[] Write(Exchange exchange, out int length)
    {
        var request = exchange.Request;
        var fields = request.Fields;
        var trusted = exchange.Trusted;
        var authority = request.Authority;
        var scheme = exchange.Client.IsSecure ? "https"u8 : "http"u8;
        // What a trusted proxy says of them is what the service hears, and may write into its answer.
        if (trusted && fields.Has(KnownField.XForwardedHost)) authority = fields.First(KnownField.XForwardedHost);
        if (trusted && fields.Has(KnownField.XForwardedProto)) scheme = fields.First(KnownField.XForwardedProto);
        var path = request.Path;
        var query = request.Query;
        var buffer = ArrayPool<byte>.Shared.Rent(
            prefix.Length + scheme.Length + authority.Length + path.Length + (query.Length * 2) + 8);
        var writer = new HeadWriter(buffer);
        writer.Write(prefix);
        writer.Write(scheme);
        writer.Write((byte)'\n');
        foreach (var one in authority) writer.Write(one is >= (byte)'A' and <= (byte)'Z' ? (byte)(one | 0x20) : one);
        writer.Write((byte)'\n');
        writer.Write(path);
        writer.Write((byte)'\n');
        if (!query.IsEmpty) WriteQuery(ref writer, query[1..]);
        length = writer.Length;
        return buffer;
    }

    private void WriteQuery(ref HeadWriter writer, ReadOnlySpan<byte> query)
    {
        switch (spec.Query)
        {
            case "exact":
                writer.Write((byte)'?');
                writer.Write(query);
                break;
            case "sorted":
                WriteSorted(ref writer, query);
                break;
            case "listed":
                WriteListed(ref writer, query);
                break;
            default:
                break;
        }
    }

    // Those of one name stay as they were: to services that order means something.
    private static void WriteSorted(ref HeadWriter writer, ReadOnlySpan<byte> query)
    {
        Span<Range> parts = stackalloc Range[MaxSorted + 1];
        var count = query.Count((byte)'&') + 1;
        writer.Write((byte)'?');
        if (count > MaxSorted)
        {
            writer.Write(query);
            return;
        }
        var at = 0;
        for (var index = 0; index < count; index++)
        {
            var end = query[at..].IndexOf((byte)'&');
            var length = end < 0 ? query.Length - at : end;
            var place = index; // Insertion, stable; queries are short.
            while (place > 0 && NameOf(query[at..(at + length)])
                .SequenceCompareTo(NameOf(query[parts[place - 1]])) < 0)
            {
                parts[place] = parts[place - 1];
                place--;
            }
            parts[place] = at..(at + length);
            at += length + 1;
        }
        for (var index = 0; index < count; index++)
        {
            if (index > 0) writer.Write((byte)'&');
            writer.Write(query[parts[index]]);
        }
    }

    private void WriteListed(ref HeadWriter writer, ReadOnlySpan<byte> query)
    {
        foreach (var name in listed)
        {
            var rest = query;
            while (!rest.IsEmpty)
            {
                var end = rest.IndexOf((byte)'&');
                var part = end < 0 ? rest : rest[..end];
                rest = end < 0 ? default : rest[(end + 1)..];
                // By what the service reads: one that is written otherwise must not slip past the key.
                if (!QueryText.Means(NameOf(part), name)) continue;
                writer.Write((byte)'&');
                writer.Write(part);
            }
        }
    }

    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> part)
    {
        var equals = part.IndexOf((byte)'=');
        return equals < 0 ? part : part[..equals];
    }
}

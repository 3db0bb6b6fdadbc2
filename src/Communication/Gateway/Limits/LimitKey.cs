using System.Collections.Immutable;
using System.Net;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.Limits;

/// <summary>
/// What tells one caller from another, as bytes that are the same for the same caller and for nobody else: no hash that
/// somebody could aim at another's limit.
/// </summary>
internal sealed class LimitKey
{
    /// <summary>Bytes of a value that stand in the key as they are; of a longer one its digest stands there.</summary>
    private const int PlainBytes = 64;

    /// <summary>Bytes of the longest key.</summary>
    public const int MaxBytes = LimitRules.MaxParts * (PlainBytes + 1);

    // In the place of a length.
    private const byte Absent = 0xFF;
    private const byte Digest = 0xFE;

    // Other digests in every process: nobody looks a secret up in a list of them.
    private static readonly byte[] Salt = RandomNumberGenerator.GetBytes(16);

    private readonly ImmutableArray<Part> parts;

    private LimitKey(ImmutableArray<Part> parts) => this.parts = parts;

    private enum Place { Client, User, Key, Tenant, Header, Cookie, Query, Path }

    /// <summary>What is wrong with one part; null when nothing is.</summary>
    /// <param name="path">The route's; null where there is none.</param>
    public static string? Explain(string text, PathPattern? path)
    {
        if (text is "client" or "user" or "key" or "tenant") return null;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (where, what) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        if (where is not ("header" or "cookie" or "query" or "path") || !MatchRules.IsToken(what))
            return "must be client, user, key, tenant, header:NAME, cookie:NAME, query:NAME or path:NAME";
        return where == "path" && path?.Parameters.Contains(what) != true
            ? $"names {what}, which no path captures"
            : null;
    }

    /// <summary>Reads texts that nothing is wrong with.</summary>
    public static LimitKey Parse(IReadOnlyList<string>? by, PathPattern? path) =>
        new([.. (by ?? []).Select(text => Part.Parse(text, path))]);

    /// <summary>The key of a value of its only part.</summary>
    public byte[] Of(string value)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        var length = parts[0].Place == Place.Client && IPAddress.TryParse(value, out var address)
            ? WriteAddress(address, bytes)
            : WriteText(value, bytes);
        return bytes[..length].ToArray();
    }

    /// <summary>
    /// What a key says, part by part, for people: a value that may be a secret is told by a digest alone, and so is
    /// one of which the key has no more.
    /// </summary>
    public IReadOnlyList<(string By, string? Value, string? Digest)> Tell(ReadOnlySpan<byte> key)
    {
        var told = new List<(string, string?, string?)>(parts.Length);
        foreach (var part in parts)
        {
            if (key.IsEmpty) break;
            var length = key[0] switch { Absent => 0, Digest => SHA256.HashSizeInBytes, var plain => plain };
            var value = key.Slice(1, length);
            var isPlain = key[0] < Digest;
            told.Add(key[0] == Absent ? (part.Text, null, null)
                : isPlain && part.IsPublic ? (part.Text, part.Read(value), null)
                : (part.Text, null, DigestOf(value)));
            key = key[(length + 1)..];
        }
        return told;
    }

    private static string DigestOf(ReadOnlySpan<byte> value) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Salt, value).AsSpan(0, 6));

    /// <summary>Writes the key of a request; its bytes.</summary>
    public int Write(Exchange exchange, Span<byte> output)
    {
        if (parts.IsEmpty) return 0;
        var view = exchange.View(); // No key asks for the time.
        var length = 0;
        foreach (var part in parts) length += Write(part, exchange, view, output[length..]);
        return length;
    }

    private static int Write(in Part part, Exchange exchange, in RequestView view, Span<byte> output)
    {
        switch (part.Place)
        {
            case Place.Client:
                return view.Client is { } client ? WriteAddress(client, output) : WriteAbsent(output);
            case Place.User:
                return WriteText(exchange.Caller?.User, output);
            case Place.Key:
                return WriteText(exchange.Caller?.Key, output);
            case Place.Tenant:
                return WriteText(exchange.Caller?.Tenant, output);
            case Place.Header:
                return view.Fields.TryGet(part.Name, out var header) ? WriteBytes(header, output) : WriteAbsent(output);
            case Place.Cookie:
                return CookieText.TryGet(view.Fields, part.Name, out var cookie)
                    ? WriteBytes(cookie, output)
                    : WriteAbsent(output);
            case Place.Query:
                return WriteParameter(part.Name, view.Query, output);
            default:
                return part.Index < exchange.Parameters.Count
                    ? WriteBytes(exchange.Parameters.Of(view.Path, part.Index), output)
                    : WriteAbsent(output);
        }
    }

    // Decoded: otherwise %41 would be another caller than A.
    private static int WriteParameter(ReadOnlySpan<byte> name, ReadOnlySpan<byte> query, Span<byte> output)
    {
        while (QueryText.TryTakeNext(ref query, out var key, out var value))
        {
            if (!QueryText.Means(key, name)) continue;
            if (!QueryText.IsEscaped(value)) return WriteBytes(value, output);
            var decoded = value.Length <= 256 ? stackalloc byte[256] : new byte[value.Length];
            return WriteBytes(decoded[..QueryText.Decode(value, decoded)], output);
        }
        return WriteAbsent(output);
    }

    private static int WriteAddress(IPAddress address, Span<byte> output)
    {
        address.TryWriteBytes(output[1..], out var length); // There is always room for 16.
        // One household has a /64 of IPv6, and changes addresses in it.
        output[0] = (byte)Math.Min(length, 8);
        return output[0] + 1;
    }

    private static int WriteText(string? text, Span<byte> output)
    {
        if (text is null) return WriteAbsent(output);
        if (Encoding.UTF8.TryGetBytes(text, output.Slice(1, PlainBytes), out var length))
        {
            output[0] = (byte)length;
            return length + 1;
        }
        return WriteDigest(MemoryMarshal.AsBytes(text.AsSpan()), output);
    }

    private static int WriteBytes(scoped ReadOnlySpan<byte> value, Span<byte> output)
    {
        if (value.Length > PlainBytes) return WriteDigest(value, output);
        output[0] = (byte)value.Length;
        value.CopyTo(output[1..]);
        return value.Length + 1;
    }

    private static int WriteDigest(scoped ReadOnlySpan<byte> value, Span<byte> output)
    {
        output[0] = Digest;
        return SHA256.HashData(value, output[1..]) + 1;
    }

    private static int WriteAbsent(Span<byte> output)
    {
        output[0] = Absent;
        return 1;
    }

    private readonly record struct Part(Place Place, byte[] Name, int Index, string Text)
    {
        /// <summary>True where no value is a secret.</summary>
        public bool IsPublic => Place switch
        {
            Place.Header => Explaining.RequestFields.IsShown(Encoding.UTF8.GetString(Name)),
            Place.Cookie or Place.Query => false,
            _ => true,
        };

        public string Read(ReadOnlySpan<byte> value)
        {
            if (Place != Place.Client) return Encoding.UTF8.GetString(value);
            if (value.Length == 4) return new IPAddress(value).ToString();
            Span<byte> network = stackalloc byte[16];
            network.Clear();
            value.CopyTo(network);
            return $"{new IPAddress(network)}/64";
        }

        public static Part Parse(string text, PathPattern? path)
        {
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            var (where, what) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
            var place = where switch
            {
                "client" => Place.Client,
                "user" => Place.User,
                "key" => Place.Key,
                "tenant" => Place.Tenant,
                "header" => Place.Header,
                "cookie" => Place.Cookie,
                "query" => Place.Query,
                _ => Place.Path,
            };
            var name = place == Place.Header ? what.ToLowerInvariant() : what;
            var index = place == Place.Path && path is not null ? path.Parameters.IndexOf(what) : -1;
            return new Part(place, Encoding.UTF8.GetBytes(name), index < 0 ? int.MaxValue : index, text);
        }
    }
}

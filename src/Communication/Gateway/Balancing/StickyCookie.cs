using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// The cookie that keeps a client at its instance. It names the instance by a number and is signed, so that nobody can
/// pick an instance to burden; one that is forged, too old or of another upstream is as good as none.
/// </summary>
internal sealed class StickyCookie
{
    /// <summary>Bytes of the signature that are kept: too many to guess.</summary>
    private const int TagBytes = 12;

    private const int PlainBytes = sizeof(ulong) + sizeof(uint); // The instance, and when it ends in Unix minutes.

    private readonly StickySpec spec;
    private readonly byte[] name;
    private readonly byte[] key;

    /// <param name="upstream">Another upstream's cookies are none here.</param>
    /// <param name="key">The same on all nodes.</param>
    public StickyCookie(StickySpec spec, string upstream, ReadOnlySpan<byte> key)
    {
        this.spec = spec;
        name = Encoding.ASCII.GetBytes(spec.Cookie);
        this.key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(upstream));
    }

    /// <summary>The instance that the client had; null when it brings no valid cookie.</summary>
    public ulong? Read(IRequestFields fields, DateTimeOffset now)
    {
        if (!CookieText.TryGet(fields, name, out var text)
            || text.Length != Base64Url.GetEncodedLength(PlainBytes + TagBytes)) return null;
        Span<byte> bytes = stackalloc byte[PlainBytes + TagBytes];
        if (!Base64Url.TryDecodeFromUtf8(text, bytes, out var length) || length != bytes.Length) return null;
        Span<byte> tag = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, bytes[..PlainBytes], tag);
        if (!CryptographicOperations.FixedTimeEquals(tag[..TagBytes], bytes[PlainBytes..])) return null;
        var end = BinaryPrimitives.ReadUInt32BigEndian(bytes[sizeof(ulong)..]);
        if (end != 0 && now.ToUnixTimeSeconds() / 60 > end) return null;
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    /// <summary>The value of <c>Set-Cookie</c>.</summary>
    public string Write(ulong instance, DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[PlainBytes + TagBytes];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, instance);
        var end = spec.MaxAgeSeconds is { } age ? (now.ToUnixTimeSeconds() + age) / 60 + 1 : 0;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[sizeof(ulong)..], (uint)end);
        Span<byte> tag = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, bytes[..PlainBytes], tag);
        tag[..TagBytes].CopyTo(bytes[PlainBytes..]);
        var text = new StringBuilder(spec.Cookie).Append('=').Append(Base64Url.EncodeToString(bytes))
            .Append("; Path=").Append(spec.Path);
        if (spec.MaxAgeSeconds is { } seconds)
            text.Append("; Max-Age=").Append(seconds.ToString(CultureInfo.InvariantCulture));
        if (spec.Domain is { } domain) text.Append("; Domain=").Append(domain);
        if (spec.Secure) text.Append("; Secure");
        return text.Append("; HttpOnly; SameSite=").Append(char.ToUpperInvariant(spec.SameSite[0]))
            .Append(spec.SameSite.AsSpan(1)).ToString();
    }
}

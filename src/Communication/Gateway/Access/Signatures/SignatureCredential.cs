using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Access.Signatures;

/// <summary>
/// A request that its sender has signed with a secret: method, target, the fields he lists, and the digest of the body.
/// </summary>
/// <remarks>
/// The order matters: the time stamp, then the signature, then the nonce is taken note of, then the body is read. Who
/// has no secret can neither burn nonces nor have bodies held.
/// </remarks>
internal sealed class SignatureCredential(
    SignatureAccess spec, string ns, SecretTable<SigningKey> table, SeenNonces nonces, TimeProvider time)
    : ICredential
{
    /// <summary>The largest difference of clocks that a route may allow.</summary>
    public const int MaxWindowSeconds = 300;

    /// <summary>Characters of a nonce: 96 bits at least.</summary>
    private const int LeastNonce = 16;

    private const int MostNonce = 128;

    // What an unknown key is compared with: it takes as long to refuse as a known one.
    private static readonly byte[] NoSecret = RandomNumberGenerator.GetBytes(32);

    public string? Challenge => "GROUNDWORK-HMAC-SHA256";

    public ValueTask<Finding> VerifyAsync(Exchange exchange, double now)
    {
        var fields = exchange.Request.Fields;
        if (!fields.Has(KnownField.Authorization) || !SignatureText.Is(fields.First(KnownField.Authorization)))
            return new(Finding.Nothing);
        if (Check(exchange, now, out var key) is { } refusal) return new(refusal);
        return exchange.Request.Body == BodyKind.None
            ? new(IsOfBody(exchange, EmptyDigest) ? key!.Identity : Refusals.Digest) // It was found.
            : ReadBodyAsync(exchange, key!.Identity);
    }

    private static ReadOnlySpan<byte> EmptyDigest =>
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"u8;

    private Refusal? Check(Exchange exchange, double now, out SigningKey? key)
    {
        key = null;
        if (Count(exchange.Fields, "authorization"u8) != 1) return Refusals.TwoCredentials;
        if (!SignatureText.TryRead(exchange.Request.Fields.First(KnownField.Authorization), out var text))
            return Refusals.SignatureForm;
        foreach (var name in (ReadOnlySpan<string>)["x-timestamp", "x-nonce", "x-content-sha256"])
            if (Count(exchange.Fields, Encoding.ASCII.GetBytes(name)) != 1) return Refusals.SignatureForm;
        // Who could choose what is covered could leave out what matters.
        if (!text.Covers("host"u8) || !text.Covers("x-timestamp"u8) || !text.Covers("x-nonce"u8)
            || !text.Covers("x-content-sha256"u8)
            || (exchange.Request.Fields.Has(KnownField.ContentType) && !text.Covers("content-type"u8)))
            return Refusals.SignatureCover;
        if (!IsRecent(exchange.Fields, now)) return Refusals.SignatureTime;
        exchange.Fields.TryGet("x-nonce"u8, out var nonce);
        if (nonce.Length is < LeastNonce or > MostNonce) return Refusals.SignatureForm;
        key = Find(text.Credential);
        if (!IsSigned(exchange, text, key)) return Refusals.Signed;
        return nonces.Add(DigestOf(key!, nonce)) switch // An unknown one has signed nothing.
        {
            Sighting.First => null,
            Sighting.Again => Refusals.Replayed,
            _ => Refusals.NoncesFull,
        };
    }

    private SigningKey? Find(ReadOnlySpan<byte> credential)
    {
        var name = Encoding.Latin1.GetString(credential);
        return Wire.Names.IsName(name)
            && table.Current.GetValueOrDefault(new ResourceKey(SigningKeyKind.Name, ns, name)) is { } key
            && !(key.ExpiresAt <= time.GetUtcNow()) ? key : null;
    }

    // Milliseconds since 1970, digits alone.
    private bool IsRecent(Routing.IRequestFields fields, double now)
    {
        fields.TryGet("x-timestamp"u8, out var value);
        return value.Length is > 0 and <= 15 && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && Utf8Parser.TryParse(value, out long milliseconds, out var read) && read == value.Length
            && Math.Abs((milliseconds / 1000.0) - now) <= spec.WindowSeconds;
    }

    private static bool IsSigned(Exchange exchange, SignatureText text, SigningKey? key)
    {
        var written = new ArrayBufferWriter<byte>(1_024);
        if (!TryWrite(exchange, text, written)) return false;
        Span<byte> mac = stackalloc byte[32];
        Span<byte> sent = stackalloc byte[32];
        if (Convert.FromHexString(text.Signature, sent, out _, out _) != OperationStatus.Done) return false;
        HMACSHA256.HashData(key?.Secret ?? NoSecret, written.WrittenSpan, mac);
        var isSigned = CryptographicOperations.FixedTimeEquals(mac, sent);
        if (key?.Previous is { } previous)
        {
            HMACSHA256.HashData(previous, written.WrittenSpan, mac);
            isSigned |= CryptographicOperations.FixedTimeEquals(mac, sent);
        }
        return isSigned && key is not null;
    }

    // The target stands there as it was sent: nobody has to agree on how to write it.
    private static bool TryWrite(Exchange exchange, SignatureText text, ArrayBufferWriter<byte> output)
    {
        var head = exchange.Request;
        output.Write(SignatureText.Algorithm);
        output.Write("\n"u8);
        output.Write(head.MethodName);
        output.Write("\n"u8);
        output.Write(head.Target);
        output.Write("\n"u8);
        foreach (var range in text.SignedHeaders.Split((byte)';'))
        {
            var name = text.SignedHeaders[range];
            output.Write(name);
            output.Write(":"u8);
            if (name.SequenceEqual("host"u8)) output.Write(head.Authority);
            else if (!TryWriteValues(exchange.Fields, name, output)) return false;
            output.Write("\n"u8);
        }
        output.Write(text.SignedHeaders);
        output.Write("\n"u8);
        exchange.Fields.TryGet("x-content-sha256"u8, out var digest);
        output.Write(digest);
        return true;
    }

    // Fields of one name with a comma between; one that is listed and not there is signed by nobody.
    private static bool TryWriteValues(
        Routing.IRequestFields fields, ReadOnlySpan<byte> name, ArrayBufferWriter<byte> output)
    {
        var (from, count) = (0, 0);
        while (fields.TryGetNext(name, ref from, out var value))
        {
            if (count++ > 0) output.Write(","u8);
            output.Write(value);
        }
        return count > 0;
    }

    private static int Count(Routing.IRequestFields fields, ReadOnlySpan<byte> name)
    {
        var (from, count) = (0, 0);
        while (fields.TryGetNext(name, ref from, out _)) count++;
        return count;
    }

    private static bool IsOfBody(Exchange exchange, ReadOnlySpan<byte> digest) =>
        exchange.Fields.TryGet("x-content-sha256"u8, out var sent)
        && CryptographicOperations.FixedTimeEquals(sent, digest);

    private static UInt128 DigestOf(SigningKey key, ReadOnlySpan<byte> nonce)
    {
        Span<byte> text = stackalloc byte[MostNonce + 32];
        nonce.CopyTo(text);
        SHA256.HashData(key.Secret, text[nonce.Length..]); // Of this key alone.
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(text[..(nonce.Length + 32)], digest);
        return BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }

    // The service gets nothing of a body that is not the signed one.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Finding> ReadBodyAsync(Exchange exchange, CallerIdentity identity)
    {
        if (exchange.Request.ContentLength > spec.BodyBytes) return Refusals.BodyTooLarge;
        var body = new HeldBody(exchange.Client, spec.BodyBytes, asks: true);
        exchange.Hold(body);
        try
        {
            await body.TakeAsync();
        }
        catch (ClientBodyException fault)
        {
            return fault.Status switch
            {
                408 => Refusals.BodyLate,
                413 => Refusals.BodyTooLarge,
                _ => Refusals.BodyBad,
            };
        }
        if (!body.IsWhole) return Refusals.BodyTooLarge;
        if (!IsRight(exchange, body)) return Refusals.Digest;
        exchange.Wrap(body);
        return identity;
    }

    private static bool IsRight(Exchange exchange, HeldBody body)
    {
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(body.Bytes, digest);
        Span<byte> text = stackalloc byte[64];
        return Convert.TryToHexStringLower(digest, text, out _) && IsOfBody(exchange, text);
    }
}

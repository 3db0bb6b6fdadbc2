using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Groundwork.Communication.Gateway.Access.Tokens;

/// <summary>
/// Takes a token in the compact form apart (RFC 7515, 3.1), strictly: what two readers could understand differently is
/// none.
/// </summary>
internal static class TokenText
{
    /// <summary>Bytes of a token: a header field has hardly more.</summary>
    public const int MaxBytes = 8 * 1_024;

    /// <summary>Characters of a kid.</summary>
    public const int MaxKeyIdLength = 256;

    /// <summary>Duplicate members would be the first for one reader and the last for another.</summary>
    public static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    private static readonly SearchValues<byte> Base64UrlBytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8);

    /// <summary>False for what is no token of ours; its signature is not looked at.</summary>
    public static bool TryRead(ReadOnlySpan<byte> token, [NotNullWhen(true)] out ReadToken? read)
    {
        read = null;
        if (token.Length > MaxBytes) return false;
        var first = token.IndexOf((byte)'.');
        var last = token.LastIndexOf((byte)'.');
        // Three parts, none of them empty. Five would be an encrypted token, which is another thing.
        if (first <= 0 || last <= first + 1 || last == token.Length - 1
            || token[(first + 1)..last].Contains((byte)'.')) return false;
        if (!TryDecode(token[..first], out var head) || !TryDecode(token[(first + 1)..last], out var body)
            || !TryDecode(token[(last + 1)..], out var signature)) return false;
        JsonDocument? header = null;
        try
        {
            header = JsonDocument.Parse(head, Strict);
            if (!TryReadHeader(header.RootElement, out var algorithm, out var keyId, out var type)) return false;
            var claims = JsonDocument.Parse(body, Strict);
            if (claims.RootElement.ValueKind != JsonValueKind.Object)
            {
                claims.Dispose();
                return false;
            }
            read = new ReadToken(algorithm, keyId, type, claims, last, signature);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
        finally
        {
            header?.Dispose();
        }
    }

    /// <summary>Base64url as RFC 7515 has it: no padding, no blanks, and nothing in the bits left over.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.ContainsAnyExcept(Base64UrlBytes) || text.Length % 4 == 1) return false;
        var decoded = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (Base64Url.DecodeFromUtf8(text, decoded, out var consumed, out var written) != OperationStatus.Done
            || consumed != text.Length) return false;
        // The last character has bits that no byte is made of; they must be zero, or two texts were one token.
        var loose = (text.Length % 4) switch { 2 => 0x0f, 3 => 0x03, _ => 0 };
        if (loose != 0 && (ValueOf(text[^1]) & loose) != 0) return false;
        bytes = written == decoded.Length ? decoded : decoded[..written];
        return true;
    }

    public static bool TryDecode(string text, [NotNullWhen(true)] out byte[]? bytes) =>
        TryDecode(Encoding.Latin1.GetBytes(text), out bytes);

    private static int ValueOf(byte character) => character switch
    {
        >= (byte)'A' and <= (byte)'Z' => character - 'A',
        >= (byte)'a' and <= (byte)'z' => character - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => character - '0' + 52,
        (byte)'-' => 62,
        _ => 63,
    };

    // Where a token says its key is (jku, x5u, jwk, x5c) is not looked at: anybody can say so.
    private static bool TryReadHeader(
        JsonElement header, [NotNullWhen(true)] out string? algorithm, out string? keyId, out string? type)
    {
        (algorithm, keyId, type) = (null, null, null);
        if (header.ValueKind != JsonValueKind.Object) return false;
        // What must be understood is not understood here (RFC 7515, 4.1.11); enc and zip are of encrypted tokens.
        if (header.TryGetProperty("crit", out _) || header.TryGetProperty("b64", out _)
            || header.TryGetProperty("enc", out _) || header.TryGetProperty("zip", out _)) return false;
        if (!TryReadText(header, "alg", out algorithm) || algorithm is null) return false;
        return TryReadText(header, "kid", out keyId) && keyId is not { Length: 0 or > MaxKeyIdLength }
            && TryReadText(header, "typ", out type);
    }

    // False for a member that is no text; true and null for one that is not there.
    private static bool TryReadText(JsonElement element, string name, out string? text)
    {
        text = null;
        if (!element.TryGetProperty(name, out var value)) return true;
        if (value.ValueKind != JsonValueKind.String) return false;
        try
        {
            text = value.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false; // Half of a surrogate pair is no text.
        }
    }
}

/// <summary>A token that was taken apart; nothing of it is believed yet.</summary>
/// <param name="SignedBytes">How many bytes of the token the signature is of.</param>
internal sealed record ReadToken(
    string Algorithm, string? KeyId, string? Type, JsonDocument Claims, int SignedBytes, byte[] Signature) : IDisposable
{
    public void Dispose() => Claims.Dispose();
}

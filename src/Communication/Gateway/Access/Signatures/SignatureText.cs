using System.Text;

namespace Groundwork.Communication.Gateway.Access.Signatures;

/// <summary>
/// Reads <c>Authorization: GROUNDWORK-HMAC-SHA256 Credential=…, SignedHeaders=a;b, Signature=…</c>.
/// </summary>
internal readonly ref struct SignatureText
{
    /// <summary>What the text to be signed begins with, and the scheme of the field.</summary>
    public static ReadOnlySpan<byte> Algorithm => "GROUNDWORK-HMAC-SHA256"u8;

    /// <summary>Fields that one signature covers.</summary>
    public const int MaxSigned = 32;

    private SignatureText(
        ReadOnlySpan<byte> credential, ReadOnlySpan<byte> signedHeaders, ReadOnlySpan<byte> signature)
    {
        Credential = credential;
        SignedHeaders = signedHeaders;
        Signature = signature;
    }

    public ReadOnlySpan<byte> Credential { get; }

    /// <summary>Names in lower case, in order, between semicolons.</summary>
    public ReadOnlySpan<byte> SignedHeaders { get; }

    /// <summary>64 hexadecimal digits.</summary>
    public ReadOnlySpan<byte> Signature { get; }

    /// <summary>True for a field of this scheme, be it well formed or not.</summary>
    public static bool Is(ReadOnlySpan<byte> value) =>
        value.Length > Algorithm.Length && Ascii.EqualsIgnoreCase(value[..Algorithm.Length], Algorithm)
        && value[Algorithm.Length] == ' ';

    /// <summary>False for one that is not well formed: each of the three once, and nothing else.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out SignatureText read)
    {
        read = default;
        if (!Is(value)) return false;
        ReadOnlySpan<byte> credential = default, headers = default, signature = default;
        var rest = value[Algorithm.Length..];
        foreach (var range in rest.Split((byte)','))
        {
            var part = rest[range].Trim(" \t"u8);
            if (part.StartsWith("Credential="u8) && credential.IsEmpty) credential = part[11..];
            else if (part.StartsWith("SignedHeaders="u8) && headers.IsEmpty) headers = part[14..];
            else if (part.StartsWith("Signature="u8) && signature.IsEmpty) signature = part[10..];
            else return false;
        }
        if (credential.IsEmpty || headers.IsEmpty || signature.Length != 64 || !IsOrdered(headers)) return false;
        read = new SignatureText(credential, headers, signature);
        return true;
    }

    /// <summary>True when the signature covers the field.</summary>
    public bool Covers(scoped ReadOnlySpan<byte> name)
    {
        foreach (var range in SignedHeaders.Split((byte)';'))
            if (SignedHeaders[range].SequenceEqual(name)) return true;
        return false;
    }

    // In lower case, each once, in order: one list, one text.
    private static bool IsOrdered(ReadOnlySpan<byte> names)
    {
        ReadOnlySpan<byte> before = default;
        var count = 0;
        foreach (var range in names.Split((byte)';'))
        {
            var name = names[range];
            if (name.IsEmpty || ++count > MaxSigned || name.ContainsAnyInRange((byte)'A', (byte)'Z')
                || before.SequenceCompareTo(name) >= 0) return false;
            before = name;
        }
        return true;
    }
}

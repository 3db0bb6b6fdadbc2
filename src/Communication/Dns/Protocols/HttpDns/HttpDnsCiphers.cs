using System.Security.Cryptography;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary>
/// The encryptions of HTTPDNS, as its clients have them. DES and ECB are theirs, not ours: a client that can do better
/// uses TLS.
/// </summary>
internal static class HttpDnsCiphers
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int BlockBytes = 16;
    private const int DesKeyBytes = 8;

    /// <summary>Alibaba's mode 2: nonce, what is encrypted, tag.</summary>
    public static byte[] SealGcm(ReadOnlySpan<byte> key, ReadOnlySpan<byte> clear)
    {
        var whole = new byte[NonceBytes + clear.Length + TagBytes];
        RandomNumberGenerator.Fill(whole.AsSpan(0, NonceBytes));
        using var gcm = new AesGcm(key, TagBytes);
        gcm.Encrypt(
            whole.AsSpan(0, NonceBytes), clear, whole.AsSpan(NonceBytes, clear.Length), whole.AsSpan(^TagBytes..));
        return whole;
    }

    /// <summary>Null when it was not made with this key.</summary>
    public static byte[]? OpenGcm(ReadOnlySpan<byte> key, ReadOnlySpan<byte> whole)
    {
        if (whole.Length < NonceBytes + TagBytes) return null;
        var clear = new byte[whole.Length - NonceBytes - TagBytes];
        using var gcm = new AesGcm(key, TagBytes);
        try
        {
            gcm.Decrypt(whole[..NonceBytes], whole[NonceBytes..^TagBytes], whole[^TagBytes..], clear);
            return clear;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    /// <summary>Alibaba's mode 1 and Tencent's AES: vector, then blocks.</summary>
    public static byte[] SealCbc(ReadOnlySpan<byte> key, ReadOnlySpan<byte> clear)
    {
        using var aes = Aes.Create();
        aes.Key = key.ToArray();
        aes.GenerateIV();
        return [.. aes.IV, .. aes.EncryptCbc(clear, aes.IV)];
    }

    /// <summary>Null when it was not made with this key.</summary>
    public static byte[]? OpenCbc(ReadOnlySpan<byte> key, ReadOnlySpan<byte> whole)
    {
        if (whole.Length < 2 * BlockBytes || whole.Length % BlockBytes != 0) return null;
        using var aes = Aes.Create();
        aes.Key = key.ToArray();
        try
        {
            return aes.DecryptCbc(whole[BlockBytes..], whole[..BlockBytes]);
        }
        catch (CryptographicException)
        {
            return null; // The padding is not one.
        }
    }

    /// <summary>Tencent's DES.</summary>
    public static byte[] SealDes(ReadOnlySpan<byte> key, ReadOnlySpan<byte> clear)
    {
        using var des = CreateDes(key);
        return des.EncryptEcb(clear, PaddingMode.PKCS7);
    }

    /// <summary>Null when it was not made with this key.</summary>
    public static byte[]? OpenDes(ReadOnlySpan<byte> key, ReadOnlySpan<byte> whole)
    {
        using var des = CreateDes(key);
        if (whole.IsEmpty || whole.Length % (des.BlockSize / 8) != 0) return null;
        try
        {
            return des.DecryptEcb(whole, PaddingMode.PKCS7);
        }
        catch (CryptographicException)
        {
            return null; // The padding is not one.
        }
    }

    private static DES CreateDes(ReadOnlySpan<byte> key)
    {
#pragma warning disable CA5351 // The protocol's own algorithm; the page of the protocol says what it is worth.
        var des = DES.Create();
#pragma warning restore CA5351
        // Of a longer key the first eight, as its clients do.
        des.Key = key[..DesKeyBytes].ToArray();
        return des;
    }
}

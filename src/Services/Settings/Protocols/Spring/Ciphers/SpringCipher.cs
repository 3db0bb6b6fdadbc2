using System.Security.Cryptography;
using System.Text;

namespace Groundwork.Services.Settings.Protocols.Spring.Ciphers;

/// <summary>
/// The encryption of Spring's server with a symmetric key: AES-256 in CBC, under what PBKDF2 with HMAC-SHA1 makes of
/// the passphrase in 1,024 rounds; hexadecimal, with a random vector of 16 bytes in front.
/// </summary>
internal sealed class SpringCipher
{
    /// <summary>Bytes of a text; longer ones are files, not values.</summary>
    public const int MaxBytes = 64 * 1024;

    private const int Rounds = 1_024;
    private const int KeyBytes = 32;
    private const int VectorBytes = 16;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly byte[] key;

    public SpringCipher(string passphrase, string salt) =>
#pragma warning disable CA5379, CA5387 // The format is Spring's: what others have encrypted must be read.
        key = Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(passphrase), Convert.FromHexString(salt), Rounds, HashAlgorithmName.SHA1, KeyBytes);
#pragma warning restore CA5379, CA5387

    public string Encrypt(string text)
    {
        using var aes = Aes.Create();
        aes.Key = key;
        var vector = RandomNumberGenerator.GetBytes(VectorBytes);
        return Convert.ToHexStringLower([.. vector, .. aes.EncryptCbc(Encoding.UTF8.GetBytes(text), vector)]);
    }

    /// <summary>The text; null for what was not encrypted under this key.</summary>
    public string? Decrypt(string hexadecimal)
    {
        if (hexadecimal.Length > MaxBytes * 2 || hexadecimal.Length % (VectorBytes * 2) != 0
            || hexadecimal.Length < VectorBytes * 4 || !hexadecimal.All(char.IsAsciiHexDigit)) return null;
        var bytes = Convert.FromHexString(hexadecimal);
        try
        {
            using var aes = Aes.Create();
            aes.Key = key;
            return Strict.GetString(aes.DecryptCbc(bytes.AsSpan(VectorBytes), bytes.AsSpan(0, VectorBytes)));
        }
        catch (Exception wrong) when (wrong is CryptographicException or DecoderFallbackException)
        {
            return null;
        }
    }
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Groundwork.Kernel.Security;

/// <summary>The text form of access keys: <c>gw_</c> and base64url of 256 random bits.</summary>
public static class AccessKeys
{
    public const string Prefix = "gw_";

    private const int SecretBytes = 32;

    // The prefix and 43 characters of base64url.
    private const int TextLength = 46;

    /// <summary>A new key, to be shown once, and the hash that is stored.</summary>
    public static (string Secret, string Hash) Mint()
    {
        var secret = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        return (secret, Convert.ToHexStringLower(Digest(secret)));
    }

    internal static bool IsWellFormed(string text) =>
        text.Length == TextLength && text.StartsWith(Prefix, StringComparison.Ordinal) && Ascii.IsValid(text);

    /// <summary>256 random bits need no slow hash: there is nothing to guess.</summary>
    internal static byte[] Digest(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}

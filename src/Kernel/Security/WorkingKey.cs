using System.Security.Cryptography;

namespace Groundwork.Kernel.Security;

/// <summary>One AES-256 key, and sealing under it: nonce (12 bytes), ciphertext, tag (16 bytes).</summary>
internal sealed class WorkingKey(string id, byte[] key)
{
    public const int KeyBytes = 32;

    // The sizes that AES-GCM is specified for. Random nonces are safe for 2^32 messages under one key (SP 800-38D,
    // 8.3).
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    public string Id => id;

    public byte[] Seal(ReadOnlySpan<byte> clear, ReadOnlySpan<byte> boundTo)
    {
        var message = new byte[NonceBytes + clear.Length + TagBytes];
        var nonce = message.AsSpan(..NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(key, TagBytes); // Not thread-safe, and cheap beside what it encrypts.
        cipher.Encrypt(nonce, clear, message.AsSpan(NonceBytes, clear.Length), message.AsSpan(^TagBytes..), boundTo);
        return message;
    }

    /// <summary>Null when the message was altered, or bound to something else, or sealed under another key.</summary>
    public byte[]? TryOpen(ReadOnlySpan<byte> message, ReadOnlySpan<byte> boundTo)
    {
        if (message.Length < NonceBytes + TagBytes) return null;
        var clear = new byte[message.Length - NonceBytes - TagBytes];
        using var cipher = new AesGcm(key, TagBytes);
        try
        {
            cipher.Decrypt(message[..NonceBytes], message[NonceBytes..^TagBytes], message[^TagBytes..], clear, boundTo);
            return clear;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}

using System.Security.Cryptography;
using System.Text;

namespace Groundwork.Kernel.Security;

/// <summary>
/// The one secret of an install. Nothing is encrypted or signed with it; every key is derived from it for one purpose
/// (HKDF-SHA256), so that a key that leaks gives away neither the others nor this one.
/// </summary>
public sealed class RootKey
{
    public const int KeyBytes = 32;

    private readonly byte[] key;

    private RootKey(byte[] key)
    {
        this.key = key;
        Fingerprint = Spell(Derive("fingerprint for people").AsSpan(..FingerprintBytes));
    }

    // 64 bits are enough to tell installs apart by eye; nothing is authenticated with them.
    private const int FingerprintBytes = 8;

    /// <summary>Tells people and stores which root key this is, and nothing about it: <c>1f2e-3d4c-…</c>.</summary>
    public string Fingerprint { get; }

    public static RootKey Generate() => new(RandomNumberGenerator.GetBytes(KeyBytes));

    public static RootKey Of(ReadOnlySpan<byte> bytes) => bytes.Length == KeyBytes
        ? new RootKey(bytes.ToArray())
        : throw new ArgumentException($"A root key is {KeyBytes} bytes, not {bytes.Length}.", nameof(bytes));

    /// <summary>Links the change rows.</summary>
    public AuditChain ChangeChain() => new(Derive("audit chain of changes"));

    /// <summary>Links the audit events.</summary>
    internal AuditChain EventChain() => new(Derive("audit chain of events"));

    /// <summary>Signs the lines of the checkpoint file.</summary>
    internal byte[] CheckpointKey() => Derive("audit checkpoints");

    /// <summary>Wraps the working keys.</summary>
    internal byte[] WrappingKey() => Derive("wrapping of working keys");

    /// <summary>Wraps the private halves of the sealing keys.</summary>
    internal byte[] SealingKey() => Derive("wrapping of sealing keys");

    /// <summary>
    /// Makes the digests of masked secrets: the same for the life of the install, unknown to who reads them.
    /// </summary>
    internal byte[] MaskKey() => Derive("digests of masked secrets");

    /// <summary>Signs what the gateway gives clients to keep, such as the cookie of a session.</summary>
    internal byte[] SessionKey() => Derive("sessions at the gateway");

    /// <summary>Marks sign-in tokens as ours, so that a made-up one costs no query.</summary>
    internal byte[] TokenKey() => Derive("tags of sign-in tokens");

    /// <summary>Keys the cache of verified passwords.</summary>
    internal byte[] PasswordCacheKey() => Derive("cache of verified passwords");

    internal byte[] Export() => [.. key];

    private byte[] Derive(string purpose) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, key, KeyBytes, info: Encoding.ASCII.GetBytes("groundwork 1: " + purpose));

    private static string Spell(ReadOnlySpan<byte> bytes)
    {
        var hex = Convert.ToHexStringLower(bytes);
        return string.Join('-', Enumerable.Range(0, hex.Length / 4).Select(group => hex.Substring(group * 4, 4)));
    }
}

using System.Security.Cryptography;

namespace Groundwork.Kernel.Security;

/// <summary>
/// One chain of the audit trail: each link is HMAC-SHA256(key, previous link ‖ message) under a key that is not in the
/// database, so whoever can write to the database still cannot write a row that verifies. Thread-safe.
/// </summary>
public sealed class AuditChain(ReadOnlySpan<byte> key)
{
    public const int LinkBytes = HMACSHA256.HashSizeInBytes;

    /// <summary>
    /// Bytes of a message: a digest and where the row stands. A bound, so that linking works on the stack.
    /// </summary>
    public const int MaxMessageBytes = 128;

    private readonly byte[] key = key.ToArray();
    private IncrementalHash? idle;

    /// <summary>Computes the link of the row whose message is given.</summary>
    /// <param name="previous">The link before it; empty for the first row of a chain.</param>
    /// <param name="message">What is vouched for; of one length in one chain, so that no two rows share bytes.</param>
    /// <param name="link">Receives <see cref="LinkBytes"/> bytes.</param>
    public void Link(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> message, Span<byte> link)
    {
        if (previous.Length is not (0 or LinkBytes))
            throw new ArgumentException($"A link is {LinkBytes} bytes, not {previous.Length}.", nameof(previous));
        if (message.Length > MaxMessageBytes)
            throw new ArgumentException(
                $"A message is at most {MaxMessageBytes} bytes, not {message.Length}.", nameof(message));
        Span<byte> joined = stackalloc byte[LinkBytes + MaxMessageBytes];
        previous.CopyTo(joined);
        message.CopyTo(joined[previous.Length..]);
        // Keyed once and used again: making the keyed state costs more than a link. Each thread takes its own.
        var hash = Interlocked.Exchange(ref idle, null) ?? IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(joined[..(previous.Length + message.Length)]);
        hash.GetHashAndReset(link);
        if (Interlocked.Exchange(ref idle, hash) is { } spare) spare.Dispose();
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Groundwork.Kernel.Security;

/// <summary>A row of <c>security_audit</c> without its place in the chain.</summary>
internal sealed record AuditRow(
    DateTimeOffset At,
    string Node,
    string Principal,
    string Action,
    string Target,
    string Outcome,
    long Count,
    string? Address,
    string? Detail)
{
    /// <summary>Bytes of <see cref="Message"/>: sequence, digest.</summary>
    public const int MessageBytes = sizeof(long) + SHA256.HashSizeInBytes;

    /// <summary>What the chain vouches for. Every field is framed by its length, and null is told from empty.</summary>
    public byte[] Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, At.ToUnixTimeMilliseconds());
        Append(hash, Count);
        foreach (var text in (ReadOnlySpan<string?>)[Node, Principal, Action, Target, Outcome, Address, Detail])
        {
            if (text is null)
            {
                Append(hash, -1);
                continue;
            }
            var bytes = Encoding.UTF8.GetBytes(text);
            Append(hash, bytes.Length);
            hash.AppendData(bytes);
        }
        return hash.GetHashAndReset();
    }

    /// <summary>What is linked: where the row stands, and its digest.</summary>
    public static void Message(long sequence, ReadOnlySpan<byte> digest, Span<byte> message)
    {
        BinaryPrimitives.WriteInt64BigEndian(message, sequence);
        digest.CopyTo(message[sizeof(long)..]);
    }

    private static void Append(IncrementalHash hash, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        hash.AppendData(bytes);
    }
}

/// <summary>A row in its place.</summary>
internal sealed record LinkedAuditRow(long Sequence, AuditRow Row, byte[] Digest, byte[] Link);

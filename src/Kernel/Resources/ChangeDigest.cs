using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// What the audit chain vouches for in a change row. Every field is framed by its length, so that no two rows share
/// bytes. The spec enters by its hash: compaction drops the spec and the row still verifies.
/// </summary>
internal static class ChangeDigest
{
    /// <summary>Bytes of <see cref="Message"/>: revision, place in the changeset, digest.</summary>
    public const int MessageBytes = sizeof(long) + sizeof(long) + SHA256.HashSizeInBytes;

    public static byte[] Of(ChangeRow row)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[4 * sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(numbers, (long)row.Operation);
        BinaryPrimitives.WriteInt64BigEndian(numbers[8..], row.Version);
        BinaryPrimitives.WriteInt64BigEndian(numbers[16..], row.At.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(numbers[24..], row.Labels.Length);
        hash.AppendData(numbers);
        Append(hash, row.Key.Kind);
        Append(hash, row.Key.Namespace);
        Append(hash, row.Key.Name);
        Append(hash, row.Labels);
        Append(hash, row.Author);
        Append(hash, row.Reason);
        hash.AppendData(row.SpecHash);
        hash.AppendData(row.ChangesetId.ToByteArray(bigEndian: true));
        return hash.GetHashAndReset();
    }

    /// <summary>What is linked for a row: where it stands, and its digest.</summary>
    public static void Message(long revision, int order, ReadOnlySpan<byte> digest, Span<byte> message)
    {
        BinaryPrimitives.WriteInt64BigEndian(message, revision);
        BinaryPrimitives.WriteInt64BigEndian(message[8..], order);
        digest.CopyTo(message[16..]);
    }

    private static void Append(IncrementalHash hash, string text)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        var maxBytes = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> bytes = maxBytes <= 1024 ? stackalloc byte[maxBytes] : new byte[maxBytes];
        var written = Encoding.UTF8.GetBytes(text, bytes);
        BinaryPrimitives.WriteInt32BigEndian(length, written);
        hash.AppendData(length);
        hash.AppendData(bytes[..written]);
    }
}

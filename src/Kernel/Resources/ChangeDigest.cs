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

    /// <summary>Rows with longer texts are framed on the heap.</summary>
    private const int MaxStackBytes = 1024;

    private const int GuidBytes = 16;

    public static byte[] Of(ChangeRow row)
    {
        ReadOnlySpan<string> texts =
            [row.Key.Kind, row.Key.Namespace, row.Key.Name, row.Labels, row.Author, row.Reason];
        var most = 4 * sizeof(long) + SHA256.HashSizeInBytes + GuidBytes;
        foreach (var text in texts) most += sizeof(int) + Encoding.UTF8.GetMaxByteCount(text.Length);
        // One call of the hash over everything: each call costs more than the bytes that it hashes.
        var framed = most <= MaxStackBytes ? stackalloc byte[MaxStackBytes] : new byte[most];
        BinaryPrimitives.WriteInt64BigEndian(framed, (long)row.Operation);
        BinaryPrimitives.WriteInt64BigEndian(framed[8..], row.Version);
        BinaryPrimitives.WriteInt64BigEndian(framed[16..], row.At.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(framed[24..], row.Labels.Length);
        var length = 4 * sizeof(long);
        foreach (var text in texts) length += Frame(text, framed[length..]);
        row.SpecHash.CopyTo(framed[length..]);
        length += row.SpecHash.Length;
        row.ChangesetId.TryWriteBytes(framed[length..], bigEndian: true, out var written);
        return SHA256.HashData(framed[..(length + written)]);
    }

    /// <summary>What is linked for a row: where it stands, and its digest.</summary>
    public static void Message(long revision, int order, ReadOnlySpan<byte> digest, Span<byte> message)
    {
        BinaryPrimitives.WriteInt64BigEndian(message, revision);
        BinaryPrimitives.WriteInt64BigEndian(message[8..], order);
        digest.CopyTo(message[16..]);
    }

    private static int Frame(string text, Span<byte> output)
    {
        var written = Encoding.UTF8.GetBytes(text, output[sizeof(int)..]);
        BinaryPrimitives.WriteInt32BigEndian(output, written);
        return sizeof(int) + written;
    }
}

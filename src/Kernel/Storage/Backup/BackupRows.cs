using System.Buffers.Binary;
using System.Text;

namespace Groundwork.Kernel.Storage.Backup;

/// <summary>
/// Rows in a form that belongs to no engine: per value one byte of type, then 8 bytes of a number (little-endian), or 4
/// bytes of length and that many bytes of UTF-8 text or of a blob.
/// </summary>
internal static class BackupRows
{
    /// <summary>A value longer than this is not one of ours: contents are at most 1 MiB.</summary>
    private const int MaxValueBytes = 64 * 1024 * 1024;

    public static void Write(BackupOutput output, ISqlRow row, int columns)
    {
        Span<byte> head = stackalloc byte[9];
        for (var column = 0; column < columns; column++)
        {
            var type = row.TypeOf(column);
            head[0] = (byte)type;
            switch (type)
            {
                case SqlType.Null:
                    output.Write(head[..1]);
                    break;
                case SqlType.Int64:
                    BinaryPrimitives.WriteInt64LittleEndian(head[1..], row.Int64(column));
                    output.Write(head);
                    break;
                default:
                    var bytes = type == SqlType.Text ? Encoding.UTF8.GetBytes(row.Text(column)) : row.Blob(column);
                    BinaryPrimitives.WriteInt32LittleEndian(head[1..], bytes.Length);
                    output.Write(head[..5]);
                    output.Write(bytes);
                    break;
            }
        }
    }

    /// <summary>
    /// Reads one row's values. The hashes were right, so anything odd here is a bug of the writer: it throws.
    /// </summary>
    public static void Read(Stream input, Span<SqlValue> values)
    {
        Span<byte> head = stackalloc byte[8];
        for (var column = 0; column < values.Length; column++)
        {
            input.ReadExactly(head[..1]);
            switch ((SqlType)head[0])
            {
                case SqlType.Null:
                    values[column] = SqlValue.Null;
                    break;
                case SqlType.Int64:
                    input.ReadExactly(head);
                    values[column] = BinaryPrimitives.ReadInt64LittleEndian(head);
                    break;
                case SqlType.Text:
                    values[column] = Encoding.UTF8.GetString(ReadBytes(input));
                    break;
                case SqlType.Blob:
                    values[column] = ReadBytes(input);
                    break;
                default:
                    throw new InvalidDataException($"The archive holds a value of type {head[0]}.");
            }
        }
    }

    private static byte[] ReadBytes(Stream input)
    {
        Span<byte> head = stackalloc byte[4];
        input.ReadExactly(head);
        var length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length is < 0 or > MaxValueBytes)
            throw new InvalidDataException($"The archive holds a value of {length} bytes.");
        var bytes = new byte[length];
        input.ReadExactly(bytes);
        return bytes;
    }
}

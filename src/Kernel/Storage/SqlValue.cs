using System.Runtime.InteropServices;

namespace Groundwork.Kernel.Storage;

/// <summary>The four storage classes that both engines share.</summary>
public enum SqlType : byte { Null, Int64, Text, Blob }

/// <summary>
/// One parameter of a statement. Times are Unix milliseconds in UTC, booleans 0 and 1, ids and hashes blobs.
/// </summary>
public readonly struct SqlValue
{
    private readonly long number;
    private readonly object? reference;

    private SqlValue(SqlType type, long number, object? reference)
    {
        Type = type;
        this.number = number;
        this.reference = reference;
    }

    public SqlType Type { get; }

    public static SqlValue Null => default;

    public long Int64 => number;

    public string Text => (string)reference!; // Only read when Type is Text.

    /// <summary>The bytes: a slice of the caller's array, not a copy.</summary>
    public ReadOnlyMemory<byte> Blob =>
        new((byte[])reference!, (int)(number >> 32), unchecked((int)number)); // Only read when Type is Blob.

    public static implicit operator SqlValue(long value) => new(SqlType.Int64, value, null);

    public static implicit operator SqlValue(long? value) => value is { } number ? number : Null;

    public static implicit operator SqlValue(bool value) => value ? 1L : 0L;

    public static implicit operator SqlValue(string? value) => value is null ? Null : new(SqlType.Text, 0, value);

    public static implicit operator SqlValue(byte[]? value) =>
        value is null ? Null : new(SqlType.Blob, value.Length, value);

    public static implicit operator SqlValue(ReadOnlyMemory<byte> value)
    {
        // Offset and length share the number, so that a slice costs no box; memory that is no array is copied.
        if (MemoryMarshal.TryGetArray(value, out var slice) && slice.Array is { } array)
            return new(SqlType.Blob, ((long)slice.Offset << 32) | (uint)slice.Count, array);
        return value.ToArray();
    }

    public static implicit operator SqlValue(DateTimeOffset value) => value.ToUnixTimeMilliseconds();

    /// <summary>Big-endian bytes, so that ids sort alike in both engines.</summary>
    public static implicit operator SqlValue(Guid value) => value.ToByteArray(bigEndian: true);
}

using System.Buffers.Text;

namespace Groundwork.Wire.Http1;

/// <summary>Writes a head into room that is known to suffice; too little room is a bug and throws.</summary>
public ref struct HeadWriter(Span<byte> output)
{
    private readonly Span<byte> output = output;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(output[Length..]);
        Length += bytes.Length;
    }

    public void Write(byte one) => output[Length++] = one;

    /// <summary>ASCII text.</summary>
    public void Write(string ascii)
    {
        foreach (var character in ascii) output[Length++] = (byte)character;
    }

    public void Write(long number)
    {
        if (!Utf8Formatter.TryFormat(number, output[Length..], out var written))
            throw new ArgumentException("There is no room for the number.", nameof(number));
        Length += written;
    }

    public void EndLine() => Write("\r\n"u8);

    public void Field(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Write(name);
        Write(": "u8);
        Write(value);
        EndLine();
    }

    /// <summary>Writes a field anew from what was parsed.</summary>
    public void Field(FieldTable table, scoped in HeadField field) => Field(table.NameOf(field), table.ValueOf(field));
}

/// <summary>Writes the lines around the chunks of a body.</summary>
public static class Chunks
{
    /// <summary>Bytes of the longest line before a chunk that we write: eight digits, CR LF.</summary>
    public const int MaxSizeLine = 10;

    /// <summary>What follows the content of a chunk.</summary>
    public static ReadOnlySpan<byte> End => "\r\n"u8;

    /// <summary>The last chunk, without trailers.</summary>
    public static ReadOnlySpan<byte> Last => "0\r\n\r\n"u8;

    /// <summary>Writes the line before a chunk; the bytes it took.</summary>
    public static int WriteSize(Span<byte> output, int bytes)
    {
        if (!Utf8Formatter.TryFormat(bytes, output, out var written, 'x'))
            throw new ArgumentException("There is no room for the size.", nameof(output));
        End.CopyTo(output[written..]);
        return written + 2;
    }
}

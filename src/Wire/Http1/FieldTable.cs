using System.Buffers;
using System.Text;

namespace Groundwork.Wire.Http1;

/// <summary>One field of a head, as places in the head's bytes.</summary>
/// <param name="LineEnd">After the CR LF of its line.</param>
public readonly record struct HeadField(
    int NameAt, int NameLength, int ValueAt, int ValueLength, int LineEnd, KnownField Known)
{
    /// <summary>True when the line is written as we would write it, so that it can be copied as a whole.</summary>
    public bool IsPlain => ValueAt == NameAt + NameLength + 2 && LineEnd == ValueAt + ValueLength + 2;
}

/// <summary>
/// The bytes of a head and where its fields are in them. Reads strictly (RFC 9112, 5): names are tokens with the colon
/// right behind, values have no control characters, lines end in CR LF and are not folded. The buffer is pooled: an
/// owner that rests gives it back by <see cref="Release"/>. Not thread-safe.
/// </summary>
public sealed class FieldTable
{
    /// <summary>Bytes of the first buffer: most heads fit.</summary>
    private const int UsualBytes = 2048;

    /// <summary>Fields of the first table.</summary>
    private const int UsualFields = 24;

    internal static readonly SearchValues<byte> TokenBytes = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    // All control characters but the tab.
    private static readonly SearchValues<byte> ControlBytes = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
            31, 127]);

    private byte[] buffer = [];
    private HeadField[] fields = [];
    private ulong present; // One bit for each known field.

    /// <summary>Bytes taken in so far.</summary>
    public int Filled { get; private set; }

    public int Count { get; private set; }

    public ReadOnlySpan<HeadField> Fields => fields.AsSpan(0, Count);

    internal ReadOnlySpan<byte> Bytes => buffer.AsSpan(0, Filled);

    public ReadOnlySpan<byte> NameOf(scoped in HeadField field) => buffer.AsSpan(field.NameAt, field.NameLength);

    public ReadOnlySpan<byte> ValueOf(scoped in HeadField field) => buffer.AsSpan(field.ValueAt, field.ValueLength);

    /// <summary>Bytes between two places, such as several whole lines.</summary>
    public ReadOnlySpan<byte> Slice(int from, int length) => buffer.AsSpan(from, length);

    public bool Has(KnownField known) => (present & (1UL << (int)known)) != 0;

    /// <summary>The value of the first such field; empty when there is none.</summary>
    public ReadOnlySpan<byte> First(KnownField known)
    {
        if (!Has(known)) return default;
        foreach (ref readonly var field in Fields)
            if (field.Known == known) return ValueOf(field);
        return default;
    }

    /// <summary>The value of the first field with this name, in any case.</summary>
    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var known = KnownFields.Find(name);
        value = default;
        if (known != KnownField.Other && !Has(known)) return false;
        foreach (ref readonly var field in Fields)
        {
            if (field.Known != known || field.NameLength != name.Length) continue;
            if (known == KnownField.Other && !Ascii.EqualsIgnoreCase(NameOf(field), name)) continue;
            value = ValueOf(field);
            return true;
        }
        return false;
    }

    /// <summary>True when one of the comma-separated elements of such fields is the token, in any case.</summary>
    public bool HasToken(KnownField known, ReadOnlySpan<byte> token)
    {
        if (!Has(known)) return false;
        foreach (ref readonly var field in Fields)
        {
            if (field.Known != known) continue;
            var rest = ValueOf(field);
            while (TryNextElement(ref rest, out var element))
                if (Ascii.EqualsIgnoreCase(element, token)) return true;
        }
        return false;
    }

    /// <summary>Cuts the next element off a comma-separated list; blanks around it are no part of it.</summary>
    public static bool TryNextElement(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> element)
    {
        while (!rest.IsEmpty)
        {
            var comma = rest.IndexOf((byte)',');
            element = (comma < 0 ? rest : rest[..comma]).Trim(" \t"u8);
            rest = comma < 0 ? default : rest[(comma + 1)..];
            if (!element.IsEmpty) return true;
        }
        element = default;
        return false;
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(buffer.AsSpan(Filled));
        Filled += bytes.Length;
    }

    /// <summary>Forgets the head and keeps the buffer.</summary>
    public void Clear()
    {
        Filled = 0;
        Count = 0;
        present = 0;
    }

    /// <summary>Forgets the head and gives the buffer back.</summary>
    public void Release()
    {
        Clear();
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    /// <summary>Reads fields up to the empty line.</summary>
    /// <param name="position">
    /// Where the first line begins; afterwards behind the empty line, or where to go on with more bytes.
    /// </param>
    internal HeadProgress Parse(ref int position, int begin, HeadLimits limits, out HeadFault fault)
    {
        fault = HeadFault.None;
        while (true)
        {
            var rest = buffer.AsSpan(position, Filled - position);
            if (rest.IsEmpty) break;
            if (rest[0] == '\r')
            {
                if (rest.Length == 1) break;
                position += 2;
                if (rest[1] == '\n') return Check(position - begin, limits, ref fault);
                fault = HeadFault.LineEnd;
                return HeadProgress.Bad;
            }
            var nameLength = rest.IndexOfAnyExcept(TokenBytes);
            if (nameLength < 0) break;
            if (nameLength == 0 || rest[nameLength] != ':')
            {
                fault = rest[nameLength] == '\n' ? HeadFault.LineEnd : HeadFault.FieldName;
                return HeadProgress.Bad;
            }
            var length = rest[nameLength..].IndexOfAny(ControlBytes);
            if (length < 0) break;
            var end = nameLength + length;
            if (rest[end] != '\r')
            {
                fault = rest[end] == '\n' ? HeadFault.LineEnd : HeadFault.FieldValue;
                return HeadProgress.Bad;
            }
            if (end + 1 == rest.Length) break;
            if (rest[end + 1] != '\n')
            {
                fault = HeadFault.LineEnd;
                return HeadProgress.Bad;
            }
            if (!Add(position, nameLength, end, limits, out fault)) return HeadProgress.Bad;
            position += end + 2;
        }
        if (Filled - begin <= limits.FieldsBytes) return HeadProgress.Incomplete;
        fault = HeadFault.HeadTooLarge;
        return HeadProgress.Bad;
    }

    /// <summary>Room behind the bytes for what is derived from them; valid until the next clear.</summary>
    internal Span<byte> Reserve(int bytes)
    {
        if (buffer.Length - Filled < bytes) Grow(Filled + bytes);
        return buffer.AsSpan(Filled, bytes);
    }

    /// <summary>Forgets what was taken in behind the head: it is still where it came from.</summary>
    internal void CutTo(int length) => Filled = length;

    /// <summary>Counts bytes written into the reserved room as taken in.</summary>
    internal int Keep(int bytes)
    {
        var at = Filled;
        Filled += bytes;
        return at;
    }

    private static HeadProgress Check(int length, HeadLimits limits, ref HeadFault fault)
    {
        if (length <= limits.FieldsBytes) return HeadProgress.Complete;
        fault = HeadFault.HeadTooLarge;
        return HeadProgress.Bad;
    }

    private bool Add(int lineAt, int nameLength, int lineLength, HeadLimits limits, out HeadFault fault)
    {
        fault = HeadFault.None;
        if (Count == limits.Fields)
        {
            fault = HeadFault.TooManyFields;
            return false;
        }
        if (Count == fields.Length) Array.Resize(ref fields, Math.Max(UsualFields, fields.Length * 2));
        var valueAt = lineAt + nameLength + 1;
        var end = lineAt + lineLength;
        while (valueAt < end && buffer[valueAt] is (byte)' ' or (byte)'\t') valueAt++;
        var valueEnd = end;
        while (valueEnd > valueAt && buffer[valueEnd - 1] is (byte)' ' or (byte)'\t') valueEnd--;
        var known = KnownFields.Find(buffer.AsSpan(lineAt, nameLength));
        present |= 1UL << (int)known;
        fields[Count++] = new HeadField(lineAt, nameLength, valueAt, valueEnd - valueAt, end + 2, known);
        return true;
    }

    private void Grow(int atLeast)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(UsualBytes, Math.Max(atLeast, buffer.Length * 2)));
        buffer.AsSpan(0, Filled).CopyTo(larger);
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Groundwork.Wire.Dns;

/// <summary>
/// A whole name, as it is written in messages: labels with their lengths, and a zero. Any bytes may be in a label;
/// letters of ASCII are compared without case, and kept as they came.
/// </summary>
public sealed class DnsName : IEquatable<DnsName>
{
    private readonly byte[] wire;

    private DnsName(byte[] wire) => this.wire = wire;

    /// <summary>The name of no label.</summary>
    public static DnsName Root { get; } = new([0]);

    /// <summary>Its bytes, uncompressed.</summary>
    public ReadOnlySpan<byte> Wire => wire;

    public bool IsRoot => wire.Length == 1;

    public int LabelCount
    {
        get
        {
            var count = 0;
            for (var at = 0; wire[at] != 0; at += wire[at] + 1) count++;
            return count;
        }
    }

    /// <summary>The first label; empty for the root.</summary>
    public ReadOnlySpan<byte> First => wire.AsSpan(1, wire[0]);

    /// <summary>The name without its first label; the root's is the root.</summary>
    public DnsName Parent => IsRoot ? this : new DnsName(wire[(wire[0] + 1)..]);

    /// <summary>The name of bytes that a reader has found to be one.</summary>
    internal static DnsName OfWire(ReadOnlySpan<byte> bytes) => new(bytes.ToArray());

    /// <summary>
    /// Reads a name as people write it: labels with dots between, the last dot optional, <c>\.</c> and <c>\DDD</c> for
    /// bytes that would mean something else.
    /// </summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out DnsName? name)
    {
        name = null;
        if (text is null) return false;
        if (text is "" or ".")
        {
            name = Root;
            return true;
        }
        Span<byte> bytes = stackalloc byte[DnsLimits.MaxNameBytes];
        var (length, labelAt) = (1, 0);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '.')
            {
                if (!TryEnd(bytes, labelAt, length)) return false;
                if (at == text.Length - 1) break;
                if (length >= bytes.Length) return false;
                labelAt = length++;
                continue;
            }
            if (!TryReadByte(text, ref at, out var value) || length >= bytes.Length) return false;
            bytes[length++] = value;
        }
        if (text[^1] != '.' || IsEscaped(text))
            if (!TryEnd(bytes, labelAt, length)) return false;
        if (length >= bytes.Length) return false;
        bytes[length++] = 0;
        name = new DnsName(bytes[..length].ToArray());
        return true;
    }

    /// <summary>The same for text that is known to be right, such as a constant.</summary>
    public static DnsName Parse(string text) =>
        TryParse(text, out var name) ? name : throw new ArgumentException($"'{text}' is no name.", nameof(text));

    /// <summary>The name with a label before it; null when that is no label, or the whole too long.</summary>
    public DnsName? Under(ReadOnlySpan<byte> label)
    {
        if (label.Length is 0 or > DnsLimits.MaxLabelBytes
            || wire.Length + label.Length + 1 > DnsLimits.MaxNameBytes) return null;
        var bytes = new byte[wire.Length + label.Length + 1];
        bytes[0] = (byte)label.Length;
        label.CopyTo(bytes.AsSpan(1));
        wire.CopyTo(bytes.AsSpan(label.Length + 1));
        return new DnsName(bytes);
    }

    /// <summary>The same of text that is ASCII; null for any other.</summary>
    public DnsName? Under(string label) => Ascii.IsValid(label) ? Under(Encoding.ASCII.GetBytes(label)) : null;

    /// <summary>True for the other name itself and for all names below it.</summary>
    public bool IsWithin(DnsName other)
    {
        var at = wire.Length - other.wire.Length;
        return at >= 0 && IsBoundary(at) && AreAlike(wire.AsSpan(at), other.wire);
    }

    /// <summary>The bytes of a label, by its place from the left.</summary>
    public ReadOnlySpan<byte> Label(int place)
    {
        var at = 0;
        for (; place > 0; place--) at += wire[at] + 1;
        return wire.AsSpan(at + 1, wire[at]);
    }

    public bool Equals(DnsName? other) => other is not null && AreAlike(wire, other.wire);

    public override bool Equals(object? obj) => Equals(obj as DnsName);

    public override int GetHashCode()
    {
        var hash = 2166136261u; // FNV-1a: names are short, and letters are folded on the way.
        foreach (var value in wire)
            hash = (hash ^ Folded(value)) * 16777619;
        return (int)hash;
    }

    /// <summary>As people write it, with the last dot.</summary>
    public override string ToString()
    {
        if (IsRoot) return ".";
        var text = new StringBuilder(wire.Length + 8);
        for (var at = 0; wire[at] != 0; at += wire[at] + 1)
        {
            foreach (var value in wire.AsSpan(at + 1, wire[at])) Append(text, value);
            text.Append('.');
        }
        return text.ToString();
    }

    private static void Append(StringBuilder text, byte value)
    {
        if (value is (byte)'.' or (byte)'\\' or (byte)'"' or (byte)'(' or (byte)')' or (byte)';' or (byte)'@'
            or (byte)'$')
            text.Append('\\').Append((char)value);
        else if (value is > 0x20 and < 0x7F) text.Append((char)value);
        else text.Append(CultureInfo.InvariantCulture, $"\\{value:D3}");
    }

    private static bool TryEnd(Span<byte> bytes, int labelAt, int length)
    {
        var label = length - labelAt - 1;
        if (label is 0 or > DnsLimits.MaxLabelBytes) return false;
        bytes[labelAt] = (byte)label;
        return true;
    }

    private static bool TryReadByte(string text, ref int at, out byte value)
    {
        value = 0;
        if (text[at] != '\\')
        {
            if (text[at] > 0x7F) return false;
            value = (byte)text[at];
            return true;
        }
        if (at + 1 >= text.Length) return false;
        if (!char.IsAsciiDigit(text[at + 1]))
        {
            if (text[++at] > 0x7F) return false;
            value = (byte)text[at];
            return true;
        }
        if (at + 3 >= text.Length
            || !byte.TryParse(text.AsSpan(at + 1, 3), NumberStyles.None, CultureInfo.InvariantCulture, out value))
            return false;
        at += 3;
        return true;
    }

    // Whether the last dot is a byte of its label.
    private static bool IsEscaped(string text)
    {
        var slashes = 0;
        for (var at = text.Length - 2; at >= 0 && text[at] == '\\'; at--) slashes++;
        return slashes % 2 == 1;
    }

    // Bytes beyond ASCII are compared as they are; the framework's comparison calls them different from themselves.
    private static bool AreAlike(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        if (one.Length != other.Length) return false;
        for (var at = 0; at < one.Length; at++)
            if (Folded(one[at]) != Folded(other[at])) return false;
        return true;
    }

    // Lengths of labels are below the letters, and stay.
    private static byte Folded(byte value) =>
        value is >= (byte)'A' and <= (byte)'Z' ? (byte)(value | 0x20) : value;

    private bool IsBoundary(int position)
    {
        var at = 0;
        while (at < position) at += wire[at] + 1;
        return at == position;
    }
}

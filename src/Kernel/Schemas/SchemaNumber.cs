using System.Globalization;
using System.Numerics;

namespace Groundwork.Kernel.Schemas;

/// <summary>
/// A JSON number without loss: mantissa × 10^exponent, no zeros at the mantissa's end, so that equal numbers are equal
/// values.
/// </summary>
public readonly record struct SchemaNumber(BigInteger Mantissa, int Exponent) : IComparable<SchemaNumber>
{
    /// <summary>Digits of a number; arithmetic on longer ones costs more than a check may.</summary>
    public const int MaxDigits = 1_000;

    /// <summary>The exponent of a number, either way, for the same reason.</summary>
    public const int MaxExponent = 1_000;

    public bool IsInteger => Exponent >= 0;

    /// <summary>Reads a number as JSON writes it; false for what is none, or beyond the limits.</summary>
    public static bool TryParse(string text, out SchemaNumber number)
    {
        number = default;
        if (text.Length is 0 or > MaxDigits || !(char.IsAsciiDigit(text[^1]))) return false;
        var power = text.IndexOfAny(['e', 'E']);
        var digits = power < 0 ? text : text[..power];
        var exponent = 0;
        if (power >= 0 && !int.TryParse(
            text.AsSpan(power + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            return false;
        var point = digits.IndexOf('.', StringComparison.Ordinal);
        if (point >= 0)
        {
            exponent -= digits.Length - point - 1;
            digits = digits.Remove(point, 1);
        }
        if (Math.Abs((long)exponent) > MaxExponent
            || !BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return false;
        number = Normal(whole, exponent);
        return true;
    }

    public int CompareTo(SchemaNumber other)
    {
        var exponent = Math.Min(Exponent, other.Exponent);
        return At(exponent).CompareTo(other.At(exponent));
    }

    /// <summary>True when this is the divisor times a whole number.</summary>
    public bool IsMultipleOf(SchemaNumber divisor)
    {
        var exponent = Math.Min(Exponent, divisor.Exponent);
        return (At(exponent) % divisor.At(exponent)).IsZero;
    }

    /// <summary>The number as a count; null for what is none.</summary>
    public int? ToCount() => IsInteger && Mantissa.Sign >= 0 && CompareTo(new SchemaNumber(int.MaxValue, 0)) <= 0
        ? (int)At(0)
        : null;

    public override string ToString() => Exponent == 0 ? $"{Mantissa}" : $"{Mantissa}e{Exponent}";

    private static SchemaNumber Normal(BigInteger mantissa, int exponent)
    {
        if (mantissa.IsZero) return new SchemaNumber(BigInteger.Zero, 0);
        while (true)
        {
            var shorter = BigInteger.DivRem(mantissa, 10, out var last);
            if (!last.IsZero) return new SchemaNumber(mantissa, exponent);
            (mantissa, exponent) = (shorter, exponent + 1);
        }
    }

    private BigInteger At(int exponent) => Mantissa * BigInteger.Pow(10, Exponent - exponent);
}

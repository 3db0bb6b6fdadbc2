using System.Globalization;
using System.Numerics;

namespace Groundwork.Wire;

/// <summary>
/// Which keys and values a setting's text has, where its format leaves a choice: the platform compares settings by the
/// same keys that the SDK gives to services.
/// </summary>
public static class SettingSyntax
{
    /// <summary>
    /// Stands for the escaped dot <c>\.</c> in the name of a property until <see cref="KeyOfProperty"/> has split it;
    /// not a character of any text.
    /// </summary>
    public const char KeptDot = '\uFFFF';

    /// <summary>
    /// The configuration key of a property: dots nest, <c>[0]</c> is a list's item, <see cref="KeptDot"/> is a dot of
    /// the name.
    /// </summary>
    /// <param name="name">The property's name with its escapes undone.</param>
    /// <exception cref="FormatException">There is no name.</exception>
    public static string KeyOfProperty(string name)
    {
        if (name.Length == 0) throw new FormatException("it has a line without a key");
        return name
            .Replace("].", "]", StringComparison.Ordinal)
            .Replace("]", ".", StringComparison.Ordinal)
            .Replace('[', '.')
            .TrimEnd('.')
            .Replace(".", ":", StringComparison.Ordinal)
            .Replace(KeptDot, '.');
    }

    /// <summary>
    /// What a plain YAML scalar is (YAML 1.2, 10.3.2): the text that the JSON of the same content would give, digits as
    /// they are written; null for null.
    /// </summary>
    public static string? OfPlainScalar(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => bool.TrueString,
        "false" or "False" or "FALSE" => bool.FalseString,
        ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" => "Infinity",
        "-.inf" or "-.Inf" or "-.INF" => "-Infinity",
        ".nan" or ".NaN" or ".NAN" => "NaN",
        ['0', 'o', .. var digits] when digits.Length is > 0 and <= 64 && digits.All(c => c is >= '0' and <= '7') =>
            digits.Aggregate(BigInteger.Zero, (sum, digit) => (sum * 8) + (digit - '0'))
                .ToString(CultureInfo.InvariantCulture),
        ['0', 'x', .. var digits] when digits.Length is > 0 and <= 64 && digits.All(char.IsAsciiHexDigit) =>
            BigInteger.Parse("0" + digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                .ToString(CultureInfo.InvariantCulture),
        _ => text,
    };
}

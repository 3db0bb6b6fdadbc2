using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Groundwork.Kernel.Documents;

/// <summary>
/// The core schema of YAML 1.2.2 (§10.3): what a plain scalar means. <c>yes</c>, <c>no</c>, <c>on</c> and <c>off</c>
/// are text.
/// </summary>
public static partial class CoreSchema
{
    /// <summary>
    /// True when a plain scalar of this text would be read as text, and not as null, a boolean or a number.
    /// </summary>
    public static bool IsText(string plain) => TryResolve(plain, out var value, out var fault)
        && fault is null && value is JsonValue json && json.GetValueKind() == System.Text.Json.JsonValueKind.String;

    /// <summary>Reads a plain scalar. A value that JSON has no form for gives a fault.</summary>
    public static bool TryResolve(string plain, out JsonNode? value, out string? fault)
    {
        fault = null;
        value = null;
        switch (plain)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return true;
            case "true" or "True" or "TRUE":
                value = JsonValue.Create(true);
                return true;
            case "false" or "False" or "FALSE":
                value = JsonValue.Create(false);
                return true;
        }
        if (NotFinite().IsMatch(plain))
        {
            fault = $"'{plain}' is a number that JSON cannot hold; quote it if it is text";
            return false;
        }
        value = Number(plain) ?? JsonValue.Create(plain);
        return true;
    }

    private static JsonNode? Number(string plain)
    {
        if (Integer().IsMatch(plain)) return JsonNode.Parse(Trimmed(plain));
        if (plain.StartsWith("0o", StringComparison.Ordinal) && Octal().IsMatch(plain))
        {
            var number = plain.AsSpan(2).ToArray()
                .Aggregate(BigInteger.Zero, (sum, digit) => (sum * 8) + (digit - '0'));
            return JsonNode.Parse(number.ToString(CultureInfo.InvariantCulture));
        }
        if (plain.StartsWith("0x", StringComparison.Ordinal) && Hexadecimal().IsMatch(plain))
        {
            // The leading zero keeps BigInteger from taking a high first digit for a sign.
            var number = BigInteger.Parse("0" + plain[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return JsonNode.Parse(number.ToString(CultureInfo.InvariantCulture));
        }
        return Real(plain);
    }

    // The digits are kept as they are, so that no precision is lost: "0.10" stays 0.10.
    private static JsonNode? Real(string plain)
    {
        var match = Float().Match(plain);
        if (!match.Success) return null;
        var whole = match.Groups["whole"].Value;
        var fraction = match.Groups["fraction"].Value;
        var text = Trimmed(match.Groups["sign"].Value + (whole.Length == 0 ? "0" : whole));
        if (fraction.Length > 0) text += "." + fraction;
        return JsonNode.Parse(text + match.Groups["exponent"].Value);
    }

    // JSON has neither a plus sign nor leading zeros.
    private static string Trimmed(string integer)
    {
        var digits = integer.TrimStart('+', '-').TrimStart('0');
        return (integer[0] == '-' ? "-" : "") + (digits.Length == 0 ? "0" : digits);
    }

    [GeneratedRegex(@"\A[-+]?[0-9]{1,128}\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Integer();

    [GeneratedRegex(@"\A0o[0-7]{1,128}\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Octal();

    [GeneratedRegex(@"\A0x[0-9a-fA-F]{1,128}\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Hexadecimal();

    [GeneratedRegex(
        @"\A(?<sign>[-+]?)((?<whole>[0-9]{1,128})(\.(?<fraction>[0-9]{0,128}))?|\.(?<fraction>[0-9]{1,128}))"
        + @"(?<exponent>[eE][-+]?[0-9]{1,9})?\z",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Float();

    [GeneratedRegex(
        @"\A([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotFinite();
}

using System.Collections.Frozen;

namespace Groundwork.Kernel.Schemas;

/// <summary>A format that values can be held to: of texts, or of whole numbers.</summary>
/// <param name="IsText">Whether a text is of it; null for a format of numbers.</param>
/// <param name="Least">The least number, for a format of numbers.</param>
/// <param name="Most">The largest.</param>
public sealed record SchemaFormat(
    string Name, Func<string, bool>? IsText, SchemaNumber? Least = null, SchemaNumber? Most = null)
{
    private static readonly FrozenDictionary<string, SchemaFormat> Known = new SchemaFormat[]
    {
        new("date-time", TimeFormats.IsDateTime),
        new("date", TimeFormats.IsDate),
        new("time", TimeFormats.IsTime),
        new("duration", TimeFormats.IsDuration),
        new("email", AddressFormats.IsEmail),
        new("hostname", AddressFormats.IsHostName),
        new("ipv4", AddressFormats.IsIPv4),
        new("ipv6", AddressFormats.IsIPv6),
        new("uri", AddressFormats.IsUri),
        new("uri-reference", AddressFormats.IsUriReference),
        new("uuid", TextFormats.IsUuid),
        new("byte", TextFormats.IsBase64),
        new("json-pointer", TextFormats.IsJsonPointer),
        new("regex", TextFormats.IsPattern),
        new("int32", null, Of(int.MinValue), Of(int.MaxValue)),
        new("int64", null, Of(long.MinValue), Of(long.MaxValue)),
    }.ToFrozenDictionary(format => format.Name, StringComparer.Ordinal);

    /// <summary>Null for one that is not known; such a format says nothing.</summary>
    public static SchemaFormat? Find(string name) => Known.GetValueOrDefault(name);

    private static SchemaNumber Of(long number) =>
        SchemaNumber.TryParse(number.ToString(System.Globalization.CultureInfo.InvariantCulture), out var read)
            ? read
            : default; // It is a number.
}

using System.Text.Json;
using System.Text.Unicode;

namespace Groundwork.Wire;

/// <summary>
/// JSON whose names and texts are text. A parser takes bytes that are no UTF-8 and halves of surrogate pairs as they
/// are, and whoever reads such a name or text much later gets an exception.
/// </summary>
public static class JsonText
{
    /// <summary>True when every name and text can be read (RFC 8259, 8.1 and 8.2).</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static bool IsUnicode(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) return false;
        if (json.IndexOf("\\u"u8) < 0) return true;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.PropertyName or JsonTokenType.String) || !reader.ValueIsEscaped)
                continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }
        return true;
    }
}

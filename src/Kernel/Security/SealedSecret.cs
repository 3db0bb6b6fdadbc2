using System.Text.Json;

namespace Groundwork.Kernel.Security;

/// <summary>A secret field as it lies in the store, or, without key and ciphertext, as it is shown.</summary>
/// <param name="Digest"><c>sha256:</c> and 16 hex digits.</param>
/// <param name="KeyId">The working key it is encrypted under.</param>
/// <param name="Sealed">Nonce, ciphertext and tag.</param>
internal sealed record SealedSecret(string Digest, string? KeyId, byte[]? Sealed)
{
    public const string DigestField = "secret";
    public const string KeyField = "key";
    public const string SealedField = "sealed";
    public const string DigestPrefix = "sha256:";

    public bool IsMasked => KeyId is null && Sealed is null;

    public static SealedSecret? Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return reader.Read() && reader.TokenType == JsonTokenType.StartObject ? Read(ref reader) : null;
    }

    /// <summary>
    /// Reads from the object's start to its end; null, and the reader anywhere, when it is another kind of object.
    /// </summary>
    public static SealedSecret? Read(ref Utf8JsonReader reader)
    {
        string? digest = null, key = null;
        byte[]? content = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString();
            if (!reader.Read() || reader.TokenType != JsonTokenType.String) return null;
            switch (field)
            {
                case DigestField when digest is null:
                    digest = reader.GetString();
                    break;
                case KeyField when key is null:
                    key = reader.GetString();
                    break;
                case SealedField when content is null && reader.TryGetBytesFromBase64(out content):
                    break;
                default:
                    return null;
            }
        }
        return digest is null || key is null != content is null ? null : new SealedSecret(digest, key, content);
    }
}

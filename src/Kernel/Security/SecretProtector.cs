using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Encrypts the secret fields of a spec before it reaches the log, and masks or opens them on the way out. AES-256-GCM
/// under a working key whose id stands in the ciphertext; the resource's key and field path are authenticated with it.
/// </summary>
/// <remarks>Why the digest of the masked form is keyed: docs/decisions/0003-masked-secrets.md.</remarks>
public sealed class SecretProtector
{
    private const int DigestBytes = 8;

    // Shown for a secret that is not encrypted yet, as in the preview of a change: nothing can be said of it.
    private static readonly byte[] UnknownMask = """{"secret":"unknown"}"""u8.ToArray();

    private readonly WorkingKeys keys;
    private readonly byte[] maskKey;

    internal SecretProtector(RootKey root, WorkingKeys keys)
    {
        this.keys = keys;
        maskKey = root.MaskKey();
    }

    /// <summary>
    /// The spec with every secret field encrypted: <c>{"secret":"sha256:…","key":"…","sealed":"…"}</c>. A field that
    /// holds the masked form keeps the value of <paramref name="before"/>, or is <c>secret_mismatch</c>. A secret that
    /// is as it was keeps its bytes, unless a newer working key is in use.
    /// </summary>
    public Outcome<ReadOnlyMemory<byte>> Protect(
        Kind kind, ResourceKey key, ReadOnlyMemory<byte> spec, Resource? before)
    {
        if (!kind.HoldsSecrets(spec)) return spec;
        var places = SecretFields.Of(kind).Find(spec.Span);
        if (places.Count == 0) return spec;
        var inPlace = FindInPlace(kind, before);
        var faults = new List<FieldFault>();
        var mismatch = false;
        var output = new ArrayBufferWriter<byte>(spec.Length + places.Count * 128);
        var copied = 0;
        foreach (var place in places)
        {
            output.Write(spec.Span[copied..place.Start]);
            copied = place.Start + place.Length;
            switch (place.Token)
            {
                case JsonTokenType.Null:
                    output.Write("null"u8);
                    break;
                case JsonTokenType.String:
                    Seal(key, place.Path, place.Clear!, inPlace, output); // A string token has its text.
                    break;
                case JsonTokenType.StartObject when SealedSecret.Read(place.In(spec.Span)) is { IsMasked: true } masked:
                    if (Keep(key, place.Path, masked.Digest, inPlace) is { } kept)
                    {
                        Seal(key, place.Path, kept, inPlace, output);
                        break;
                    }
                    mismatch = true;
                    faults.Add(new FieldFault($"spec.{place.Path}", ErrorCodes.SecretMismatch.Title));
                    break;
                default:
                    faults.Add(new FieldFault($"spec.{place.Path}", "must be text, or the masked form as it was read"));
                    break;
            }
        }
        if (faults.Count > 0)
        {
            var code = mismatch ? ErrorCodes.SecretMismatch : ErrorCodes.ResourceInvalid;
            return new Fault(code, $"{key} has secrets that cannot be taken.") { Fields = [.. faults] };
        }
        output.Write(spec.Span[copied..]);
        return output.WrittenMemory;
    }

    /// <summary>
    /// The spec with every secret field as <c>{"secret":"sha256:…"}</c>; the same bytes when there is none.
    /// </summary>
    public ReadOnlyMemory<byte> Mask(Kind? kind, ReadOnlyMemory<byte> spec)
    {
        if (kind is null) return MaskUnknown(spec);
        return kind.HoldsSecrets(spec)
            ? Rewrite(kind, spec, static (_, content, output) => output.Write(MaskOf(content)))
            : spec;
    }

    /// <summary>
    /// The spec with every secret field in clear. The caller has checked <see cref="Verb.ReadSecret"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// A ciphertext was tampered with, moved, or its key is not in the store.
    /// </exception>
    public ReadOnlyMemory<byte> Open(Kind kind, ResourceKey key, ReadOnlyMemory<byte> spec)
    {
        if (!kind.HoldsSecrets(spec)) return spec;
        return Rewrite(kind, spec, (place, content, output) =>
        {
            if (place.Token == JsonTokenType.StartObject && SealedSecret.Read(content) is { IsMasked: false } secret)
                WriteText(Open(key, place.Path, secret), output);
            else
                output.Write(content);
        });
    }

    private delegate void WriteSecret(SecretPlace place, ReadOnlySpan<byte> content, ArrayBufferWriter<byte> output);

    private static ReadOnlyMemory<byte> Rewrite(Kind kind, ReadOnlyMemory<byte> spec, WriteSecret write) =>
        Rewrite(SecretFields.Of(kind).Find(spec.Span), spec, write);

    private static ReadOnlyMemory<byte> Rewrite(List<SecretPlace> places, ReadOnlyMemory<byte> spec, WriteSecret write)
    {
        if (places.Count == 0) return spec;
        var output = new ArrayBufferWriter<byte>(spec.Length);
        var copied = 0;
        foreach (var place in places)
        {
            output.Write(spec.Span[copied..place.Start]);
            write(place, place.In(spec.Span), output);
            copied = place.Start + place.Length;
        }
        output.Write(spec.Span[copied..]);
        return output.WrittenMemory;
    }

    private static ReadOnlySpan<byte> MaskOf(ReadOnlySpan<byte> content)
    {
        if (content.SequenceEqual("null"u8)) return "null"u8;
        if (content[0] != (byte)'{' || SealedSecret.Read(content) is not { } secret) return UnknownMask;
        // A digest is hex after its prefix, so it needs no escaping; anything else was not written by us.
        return secret.Digest.All(c => char.IsAsciiLetterOrDigit(c) || c == ':')
            ? Encoding.ASCII.GetBytes($$"""{"{{SealedSecret.DigestField}}":"{{secret.Digest}}"}""")
            : UnknownMask;
    }

    /// <summary>
    /// The module of the kind is not loaded here: whatever looks like a ciphertext is masked, wherever it is.
    /// </summary>
    private static ReadOnlyMemory<byte> MaskUnknown(ReadOnlyMemory<byte> spec)
    {
        if (spec.Span.IndexOf("\"sealed\""u8) < 0) return spec;
        var places = new List<SecretPlace>();
        var reader = new Utf8JsonReader(spec.Span);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.StartObject) continue;
            var ahead = reader;
            if (SealedSecret.Read(ref ahead) is not { IsMasked: false }) continue;
            var start = (int)reader.TokenStartIndex;
            reader = ahead;
            places.Add(new SecretPlace("", start, (int)reader.BytesConsumed - start, JsonTokenType.StartObject, null));
        }
        return Rewrite(places, spec, static (_, content, output) => output.Write(MaskOf(content)));
    }

    private static Dictionary<string, SealedSecret> FindInPlace(Kind kind, Resource? before)
    {
        var found = new Dictionary<string, SealedSecret>(StringComparer.Ordinal);
        if (before is null || before.Spec.IsEmpty) return found;
        var spec = SpecConversion.Upgrade(kind, before.Version, before.Spec);
        if (!kind.HoldsSecrets(spec)) return found;
        foreach (var place in SecretFields.Of(kind).Find(spec.Span))
        {
            if (place.Token == JsonTokenType.StartObject
                && SealedSecret.Read(place.In(spec.Span)) is { IsMasked: false } secret) found[place.Path] = secret;
        }
        return found;
    }

    /// <summary>
    /// The text that a masked form stands for: the value at the same place, or at another place of the resource, since
    /// an element of a list may have moved.
    /// </summary>
    private string? Keep(ResourceKey key, string path, string digest, Dictionary<string, SealedSecret> inPlace)
    {
        if (inPlace.TryGetValue(path, out var here) && here.Digest == digest) return Open(key, path, here);
        foreach (var (place, secret) in inPlace)
            if (secret.Digest == digest) return Open(key, place, secret);
        return null;
    }

    private void Seal(
        ResourceKey key, string path, string clear, Dictionary<string, SealedSecret> inPlace,
        ArrayBufferWriter<byte> output)
    {
        var working = keys.Current;
        var digest = DigestOf(key, clear);
        var secret = inPlace.TryGetValue(path, out var here) && here.Digest == digest && here.KeyId == working.Id
            && Open(key, path, here) == clear
            ? here
            : new SealedSecret(digest, working.Id, working.Seal(Encoding.UTF8.GetBytes(clear), Bind(key, path)));
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartObject();
        writer.WriteString(SealedSecret.DigestField, secret.Digest);
        writer.WriteString(SealedSecret.KeyField, secret.KeyId);
        writer.WriteBase64String(SealedSecret.SealedField, secret.Sealed);
        writer.WriteEndObject();
    }

    private string Open(ResourceKey key, string path, SealedSecret secret)
    {
        if (secret.KeyId is null || secret.Sealed is null || keys.Find(secret.KeyId) is not { } working)
        {
            throw new InvalidDataException(
                $"The secret {path} of {key} is under the working key '{secret.KeyId}', which is not in the store.");
        }
        return working.TryOpen(secret.Sealed, Bind(key, path)) is { } clear
            ? Encoding.UTF8.GetString(clear)
            : throw new InvalidDataException($"The secret {path} of {key} does not open: it was altered or moved.");
    }

    /// <summary>
    /// What the ciphertext is bound to. A name has no zero byte, so the parts cannot run into each other.
    /// </summary>
    private static byte[] Bind(ResourceKey key, string path) =>
        Encoding.UTF8.GetBytes($"{key.Kind}\0{key.Namespace}\0{key.Name}\0{path}");

    /// <summary>Keyed, and of this resource alone: equal secrets of two resources do not look alike.</summary>
    private string DigestOf(ResourceKey key, string clear)
    {
        var message = Encoding.UTF8.GetBytes($"{key.Kind}\0{key.Namespace}\0{key.Name}\0{clear}");
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(maskKey, message, mac);
        return string.Create(
            CultureInfo.InvariantCulture, $"{SealedSecret.DigestPrefix}{Convert.ToHexStringLower(mac[..DigestBytes])}");
    }

    private static void WriteText(string text, ArrayBufferWriter<byte> output)
    {
        output.Write("\""u8);
        output.Write(JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        output.Write("\""u8);
    }
}

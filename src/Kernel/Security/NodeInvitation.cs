using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Brings the root key to another node: a bundle, which may travel over anything, and a code, which the operator reads
/// out or types. Neither is worth anything without the other. The store takes each once, within the hour.
/// </summary>
public static class NodeInvitation
{
    public static readonly TimeSpan ValidFor = TimeSpan.FromHours(1);

    /// <summary>Bytes of a bundle that is read; a whole one is below 2 KiB.</summary>
    public const int MaxBundleBytes = 16 * 1024;

    // Without letters and digits that look alike. 24 of 30 characters are 117 random bits: nothing to guess.
    private const string CodeAlphabet = "ABCDEFGHJKMNPQRSTVWXYZ23456789";
    private const int CodeLength = 24;
    private const int CodeGroup = 4;

    private const int Format = 1;

    /// <summary>Makes an invitation and records it.</summary>
    /// <param name="hints">Where the new node finds the database and its peers; sealed in the bundle.</param>
    public static async Task<(string Bundle, string Code)> CreateAsync(
        IStorage storage,
        RootKey root,
        IReadOnlyDictionary<string, string> hints,
        string invitedBy,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        // By the database's clock: it is the one that the joining node is judged by.
        var expires = await storage.WriteAsync(
            session =>
            {
                var now = session.ReadClock();
                var until = now + (long)ValidFor.TotalMilliseconds;
                InvitationStore.Insert(session, id, now, until, invitedBy);
                return until;
            },
            cancellationToken);
        var code = RandomNumberGenerator.GetString(CodeAlphabet, CodeLength);
        var content = JsonSerializer.SerializeToUtf8Bytes(
            new InvitationContent(RootKeyFile.Encode(root).TrimEnd(), hints), InvitationJson.Default.InvitationContent);
        var bundle = new InvitationBundle(Format, id, expires, Seal(code, id, expires, content));
        CryptographicOperations.ZeroMemory(content);
        return (JsonSerializer.Serialize(bundle, InvitationJson.Default.InvitationBundle), Spell(code));
    }

    /// <summary>
    /// Opens a bundle on the node that joins. It has no database yet; <see cref="RedeemAsync"/> follows when it has.
    /// </summary>
    public static Outcome<OpenedInvitation> Open(string bundle, string code, DateTimeOffset now)
    {
        if (bundle.Length > MaxBundleBytes) return Invalid($"The bundle is over {MaxBundleBytes} bytes.");
        InvitationBundle? read;
        try
        {
            read = JsonSerializer.Deserialize(bundle, InvitationJson.Default.InvitationBundle);
        }
        catch (JsonException)
        {
            return Invalid("The file is not an invitation.");
        }
        if (read is not { Format: Format }) return Invalid("The file is not an invitation of a format known here.");
        if (read.Expires <= now.ToUnixTimeMilliseconds())
            return Invalid($"It expired at {DateTimeOffset.FromUnixTimeMilliseconds(read.Expires):u}.");
        var clear = KeyOf(Normalize(code), read.Id).TryOpen(read.Sealed, Bind(read.Id, read.Expires));
        if (clear is null) return Invalid("The code is wrong, or the bundle was altered.");
        var content = JsonSerializer.Deserialize(clear, InvitationJson.Default.InvitationContent);
        CryptographicOperations.ZeroMemory(clear);
        return content is not null && RootKeyFile.Decode(content.RootKey) is { } root
            ? new OpenedInvitation(read.Id, root, content.Hints)
            : Invalid("It holds no root key.");
    }

    /// <summary>Marks the invitation as used, once and in time; only then may the node keep the root key.</summary>
    public static async Task<Fault?> RedeemAsync(
        IStorage storage, Guid id, string node, CancellationToken cancellationToken)
    {
        var redeemed = await storage.WriteAsync(
            session => InvitationStore.Redeem(session, id, node, session.ReadClock()), cancellationToken);
        return redeemed ? null : Invalid("The store does not know it, or it was used, or has expired.");
    }

    private static byte[] Seal(string code, Guid id, long expires, byte[] content) =>
        KeyOf(code, id).Seal(content, Bind(id, expires));

    private static WorkingKey KeyOf(string code, Guid id) => new("invitation", HKDF.DeriveKey(
        HashAlgorithmName.SHA256,
        Encoding.ASCII.GetBytes(code),
        WorkingKey.KeyBytes,
        id.ToByteArray(bigEndian: true),
        "groundwork 1: invitation"u8.ToArray()));

    private static byte[] Bind(Guid id, long expires) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id:n} {expires}"));

    private static string Spell(string code) =>
        string.Join('-', code.Chunk(CodeGroup).Select(group => new string(group)));

    private static string Normalize(string code) =>
        string.Concat(code.ToUpperInvariant().Where(char.IsAsciiLetterOrDigit).Take(2 * CodeLength));

    private static Fault Invalid(string detail) => new(ErrorCodes.InvitationInvalid, detail);
}

/// <summary>What an invitation brings.</summary>
public sealed record OpenedInvitation(Guid Id, RootKey Root, IReadOnlyDictionary<string, string> Hints)
{
    public override string ToString() => $"invitation {Id}";
}

/// <summary>The file.</summary>
/// <param name="Expires">Unix milliseconds.</param>
internal sealed record InvitationBundle(int Format, Guid Id, long Expires, byte[] Sealed);

/// <summary>What is sealed in it.</summary>
internal sealed record InvitationContent(string RootKey, IReadOnlyDictionary<string, string> Hints);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(InvitationBundle))]
[JsonSerializable(typeof(InvitationContent))]
internal sealed partial class InvitationJson : JsonSerializerContext;

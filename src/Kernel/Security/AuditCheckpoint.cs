using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Groundwork.Kernel.Security;

/// <summary>Where both chains stood at a moment, written down outside the database.</summary>
/// <param name="Number">Counts the checkpoints of a node, from 1.</param>
/// <param name="Node">The node that wrote it.</param>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Revision">Of the last change row; its link is <paramref name="ChangeLink"/>.</param>
/// <param name="EventSequence">Of the last audit event; its link is <paramref name="EventLink"/>.</param>
/// <param name="Previous">The <paramref name="Mac"/> of the line before; empty in the first.</param>
/// <param name="Mac">HMAC-SHA256 of all of it under a key that is not in the database. Hex, like the links.</param>
internal sealed record AuditCheckpoint(
    long Number,
    string Node,
    long At,
    string StoreId,
    long Revision,
    string ChangeLink,
    long EventSequence,
    string EventLink,
    string Previous,
    string Mac)
{
    public AuditCheckpoint Signed(byte[] key) => this with { Mac = Compute(key) };

    public bool IsGenuine(byte[] key) => CryptographicOperations.FixedTimeEquals(
        Encoding.UTF8.GetBytes(Compute(key)), Encoding.UTF8.GetBytes(Mac));

    /// <summary>JSON of all members but the last, so that no two checkpoints have the same bytes.</summary>
    private string Compute(byte[] key) => Convert.ToHexStringLower(HMACSHA256.HashData(
        key, JsonSerializer.SerializeToUtf8Bytes(this with { Mac = "" }, AuditCheckpointJson.Default.AuditCheckpoint)));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"checkpoint {Number} of {DateTimeOffset.FromUnixTimeMilliseconds(At):u}");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AuditCheckpoint))]
internal sealed partial class AuditCheckpointJson : JsonSerializerContext;

using System.Text.Json.Serialization;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Disk;

/// <summary>What one run leaves to the next, so that it can start while the platform is away.</summary>
/// <param name="WrittenAt">UTC.</param>
/// <param name="Settings">Null when none ever came.</param>
/// <param name="Services">The services that were called.</param>
internal sealed record DiskSnapshot(
    DateTimeOffset WrittenAt, SettingSnapshot? Settings, IReadOnlyList<ServiceDocument> Services);

/// <summary>JSON of the disk snapshot. Members of a newer version are passed over.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(DiskSnapshot))]
internal sealed partial class DiskJson : JsonSerializerContext;

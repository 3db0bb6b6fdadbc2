using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Groundwork.Kernel.Storage.Backup;

/// <summary>What a backup holds, written at its end.</summary>
/// <param name="Format">Of the archive; this version writes and reads 1.</param>
/// <param name="StoreId">The store that was backed up.</param>
/// <param name="Revision">Its revision at that moment.</param>
/// <param name="Engine">The engine it came from; any engine can take it.</param>
/// <param name="RootKey">Always the sentence that it is not in here.</param>
/// <param name="Migrations">The last step of each module's schema that the rows fit.</param>
/// <param name="Tables">In the order in which they stand in the archive.</param>
public sealed record BackupManifest(
    int Format,
    Guid StoreId,
    long Revision,
    string Engine,
    DateTimeOffset Created,
    string RootKey,
    ImmutableSortedDictionary<string, int> Migrations,
    ImmutableArray<BackupTable> Tables)
{
    public const int CurrentFormat = 1;

    public const string WithoutRootKey =
        "The root key is not in this file. Without a copy of the root key file its secrets cannot be read.";
}

/// <summary>One part of the archive: the rows of one table.</summary>
/// <param name="Columns">Their names, in the order of the values.</param>
/// <param name="Offset">Bytes from the start of the archive.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Of those bytes, lower-case hexadecimal.</param>
public sealed record BackupTable(
    string Name, ImmutableArray<string> Columns, long Rows, long Offset, long Length, string Sha256);

/// <summary>How far a backup or a restore has come.</summary>
/// <param name="Table">The table at hand.</param>
/// <param name="Rows">Of all tables so far.</param>
/// <param name="Bytes">Of the archive so far.</param>
public sealed record BackupProgress(string Table, long Rows, long Bytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJson : JsonSerializerContext;

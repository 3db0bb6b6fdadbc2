using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Groundwork.Wire.Contracts;

/// <summary>The spec of a <c>setting</c> resource; its name is <c>group/dataId</c>.</summary>
public sealed record SettingSpec(
    [Description("text, json, yaml, xml, properties, flags or toml.")]
    [AllowedValues("text", "json", "yaml", "xml", "properties", "flags", "toml")]
    string Format,
    [Description("The text, at most 1 MiB as a JSON document.")]
    string Content,
    [Description("True: the whole content is a secret; encrypted at rest and masked for those without read-secret.")]
    bool Secret = false,
    [Description("What it is for, at most 512 characters.")]
    string? Description = null,
    [Description("Where the text was promoted from; written by a promotion.")]
    SettingOrigin? PromotedFrom = null,
    [Description(
        "A JSON Schema (draft 2020-12) that the text is held to at every publication; formats json, yaml, "
        + "properties and xml.")]
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    JsonElement? Schema = null);

/// <summary>A setting as a service reads it.</summary>
/// <param name="Hash">SHA-256 of the content's UTF-8 bytes, lower-case hex.</param>
/// <param name="Revision">The change that made it so.</param>
/// <param name="Secret">True: keep it out of logs, and out of files that others can read.</param>
/// <param name="Release">Name of the gray release that this text is of; null for the setting's own text.</param>
public sealed record SettingDocument(
    string Namespace,
    string Group,
    string DataId,
    string Format,
    string Content,
    string Hash,
    long Revision,
    bool Secret = false,
    string? Release = null);

/// <summary>
/// The settings of some groups at one revision: what the SDK loads and stores on disk. Never half of a changeset.
/// </summary>
/// <param name="Settings">In order of group and dataId.</param>
/// <param name="Removed">
/// Null: <paramref name="Settings"/> is everything, and replaces what the reader has. Otherwise the snapshot holds only
/// what changed since the one before it, and these (<c>group/dataId</c>) are gone, or no longer the reader's to see.
/// </param>
/// <param name="Withheld">Secret settings (<c>group/dataId</c>) that exist and that the reader may not read; null when
/// there are none.</param>
/// <param name="Groups">All groups that were read, those included by others too, in rising precedence: a key in a
/// later group wins. Null from a platform that does not say; then the order is the one that was asked in.</param>
public sealed record SettingSnapshot(
    string StoreId,
    long Revision,
    string Namespace,
    IReadOnlyList<SettingDocument> Settings,
    IReadOnlyList<string>? Removed = null,
    IReadOnlyList<string>? Withheld = null,
    IReadOnlyList<string>? Groups = null);

/// <summary>
/// Body of <c>POST /settings/{namespace}/receipts</c>: what became of settings that an instance read.
/// </summary>
/// <param name="Service">The reader's service, as in <c>?instance=service/id</c>.</param>
/// <param name="Instance">Its instance id.</param>
/// <param name="Receipts">1 to 1,000.</param>
/// <param name="Keys">Configuration keys that the process has really read so far, by <c>group/dataId</c>; only what is
/// new since the last report, at most 256 for each setting. Null when there is nothing new.</param>
/// <param name="Flags">How often flags were evaluated since the last report; null when none was.</param>
public sealed record ReceiptBatch(
    string Service,
    string Instance,
    IReadOnlyList<ReceiptDocument> Receipts,
    IReadOnlyDictionary<string, IReadOnlyList<string>>? Keys = null,
    IReadOnlyList<FlagExposure>? Flags = null);

/// <summary>What became of one version of a setting at one instance.</summary>
/// <param name="Revision">The setting's revision that was delivered; for one that is gone, the revision of the
/// snapshot that took it.</param>
/// <param name="State"><c>delivered</c>, <c>applied</c> or <c>rejected</c>.</param>
/// <param name="Release">The gray release that the text was of.</param>
/// <param name="Error">Why it was rejected, at most 1,024 characters; never a part of a secret.</param>
public sealed record ReceiptDocument(
    string Group, string DataId, long Revision, string State, string? Release = null, string? Error = null);

/// <summary>How often a flag answered with one variant at one instance since its last report.</summary>
public sealed record FlagExposure(string Flag, string Variant, long Count);

/// <summary>A page of what settings there are, without their texts.</summary>
/// <param name="Revision">The revision that the page was read at.</param>
/// <param name="Items">In order of namespace and name; only those that the caller may read.</param>
/// <param name="NextPage">Pass as <c>page</c> to go on; null at the end.</param>
public sealed record SettingList(long Revision, IReadOnlyList<SettingSummary> Items, string? NextPage = null);

/// <summary>One setting without its text.</summary>
/// <param name="Revision">The change that made it so.</param>
/// <param name="HasSchema">True: its texts are held to a JSON Schema.</param>
/// <param name="Releases">Names of its gray releases; null when there are none.</param>
public sealed record SettingSummary(
    string Namespace,
    string Group,
    string DataId,
    string Format,
    long Revision,
    string ChangedBy,
    DateTimeOffset ChangedAt,
    bool Secret = false,
    bool HasSchema = false,
    string? Description = null,
    IReadOnlyList<string>? Releases = null);

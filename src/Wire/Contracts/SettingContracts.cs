namespace Groundwork.Wire.Contracts;

/// <summary>The spec of a <c>setting</c> resource; its name is <c>group/dataId</c>.</summary>
/// <param name="Format"><c>text</c>, <c>json</c>, <c>yaml</c>, <c>xml</c>, <c>properties</c> or <c>toml</c>.</param>
/// <param name="Content">The text, at most 1 MiB as a JSON document.</param>
/// <param name="Secret">True: the whole content is a secret; encrypted at rest and masked for those without
/// <c>read-secret</c>.</param>
/// <param name="Description">What it is for, at most 512 characters.</param>
public sealed record SettingSpec(string Format, string Content, bool Secret = false, string? Description = null);

/// <summary>A setting as a service reads it.</summary>
/// <param name="Hash">SHA-256 of the content's UTF-8 bytes, lower-case hex.</param>
/// <param name="Revision">The change that made it so.</param>
/// <param name="Secret">True: keep it out of logs, and out of files that others can read.</param>
public sealed record SettingDocument(
    string Namespace,
    string Group,
    string DataId,
    string Format,
    string Content,
    string Hash,
    long Revision,
    bool Secret = false);

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
public sealed record SettingSnapshot(
    string StoreId,
    long Revision,
    string Namespace,
    IReadOnlyList<SettingDocument> Settings,
    IReadOnlyList<string>? Removed = null,
    IReadOnlyList<string>? Withheld = null);

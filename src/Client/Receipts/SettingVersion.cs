namespace Groundwork.Client.Receipts;

/// <summary>Which text of a setting a reader has.</summary>
/// <param name="Revision">The setting's; of the snapshot that took it when it is gone.</param>
/// <param name="Release">The gray release that the text is of.</param>
/// <param name="IsGone">There is no text any more.</param>
internal readonly record struct SettingVersion(long Revision, string? Release, bool IsGone);

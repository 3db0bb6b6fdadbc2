using System.ComponentModel;

namespace Groundwork.Wire.Contracts;

/// <summary>Where a setting's text was promoted from; the base of the next comparison. Kept when the text alone is
/// published.</summary>
public sealed record SettingOrigin(
    [Description("The namespace of the source.")]
    string Namespace,
    [Description("The source's revision that was promoted; 0 when only the keys below ever were.")]
    long Revision,
    [Description(
        "Keys promoted apart from the others, each with the source's revision; at most 1,000. The empty key is a "
        + "text that has no keys.")]
    IReadOnlyDictionary<string, long>? Keys = null);

/// <summary>Two namespaces compared key by key, as of one revision.</summary>
/// <param name="Settings">In order of group and dataId; only those that the caller may read in both.</param>
public sealed record SettingComparison(
    long Revision, string From, string To, IReadOnlyList<SettingDifference> Settings);

/// <summary>One setting in both namespaces.</summary>
/// <param name="State"><c>same</c>, <c>only-in-from</c>, <c>only-in-to</c> or <c>different</c>, by the text.</param>
/// <param name="FromRevision">Its revision in the first; 0 when it is not there. A promotion names both.</param>
/// <param name="ToRevision">Its revision in the second; 0 when it is not there.</param>
/// <param name="Keys">The configuration keys, without those that are the same unless these were asked for; of a text
/// without keys one, which is empty. Null for a secret that the caller may not read, and without values for one that
/// was not to be revealed.</param>
/// <param name="Same">Keys that are the same in both.</param>
/// <param name="Base">The revision of the first that was promoted last; null: none, or compacted since, so that
/// nobody can tell which side has changed.</param>
public sealed record SettingDifference(
    string Group,
    string DataId,
    string State,
    long FromRevision,
    long ToRevision,
    IReadOnlyList<KeyDifference>? Keys = null,
    int Same = 0,
    long? Base = null,
    bool Secret = false);

/// <summary>One configuration key in both namespaces.</summary>
/// <param name="State"><c>same</c>, <c>only-in-from</c>, <c>only-in-to</c>, <c>changed-in-from</c>,
/// <c>changed-in-to</c>, <c>changed-alike</c> or <c>conflict</c>.</param>
/// <param name="From">Its value in the first, the beginning of a long one; null when it is not there.</param>
/// <param name="To">Its value in the second.</param>
/// <param name="Base">What was promoted last.</param>
public sealed record KeyDifference(
    string Key, string State, string? From = null, string? To = null, string? Base = null);

/// <summary>Body of <c>POST /settings-promotions</c>: takes settings, or keys of them, from one namespace to another,
/// all or none.</summary>
/// <param name="Settings">1 to 1,000, each once.</param>
/// <param name="Reason">Why, at most 512 characters.</param>
/// <param name="Id">Changeset id; a repeat within 24 h gets the first answer.</param>
/// <param name="DryRun">Answer what would become of it, and change nothing.</param>
public sealed record PromotionRequest(
    string From,
    string To,
    IReadOnlyList<PromotedSetting> Settings,
    string? Reason = null,
    Guid? Id = null,
    bool DryRun = false);

/// <summary>One setting to promote.</summary>
/// <param name="FromRevision">As the comparison saw it; 0: it was not there, so that it is taken away.</param>
/// <param name="ToRevision">As the comparison saw it; 0: it was not there.</param>
/// <param name="Keys">The keys to take; null for all that the first has changed or has alone.</param>
public sealed record PromotedSetting(
    string Group, string DataId, long FromRevision, long ToRevision, IReadOnlyList<PromotedKey>? Keys = null);

/// <summary>One key to promote.</summary>
/// <param name="Take"><c>from</c>: also over a change or a key of the target's own. <c>to</c>: leave the target's, and
/// count what the source has as seen. Null: only if the target has not changed it.</param>
public sealed record PromotedKey(string Key, string? Take = null);

/// <summary>What a promotion did, or would do.</summary>
public sealed record PromotionAnswer(ChangesetAnswer Changeset, IReadOnlyList<PromotionResult> Settings);

/// <summary>What became of one setting.</summary>
/// <param name="Content">The resulting text; null when the setting is deleted, or secret.</param>
/// <param name="Verbatim">True: the text is the source's to the letter.</param>
/// <param name="CommentsLost">True: the text had to be written anew, without the target's comments.</param>
/// <param name="Lines">The keys that change, with their values before and after; null for a secret.</param>
public sealed record PromotionResult(
    string Group,
    string DataId,
    string? Content = null,
    bool Verbatim = false,
    bool CommentsLost = false,
    IReadOnlyList<DiffLine>? Lines = null);

/// <summary>A public key that values are sealed under.</summary>
/// <param name="Algorithm"><c>ecdh-p256+hkdf-sha256+aes-256-gcm</c>.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo, base64.</param>
/// <param name="Current">True for the one that new values are sealed under; the others still open.</param>
public sealed record SealingKeyDocument(string Id, string Algorithm, string PublicKey, bool Current);

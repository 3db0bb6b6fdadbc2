using System.Collections.Immutable;

namespace Groundwork.Services.Settings.Readers;

/// <summary>Names a reader of settings.</summary>
internal readonly record struct ReaderKey(string Namespace, string Service, string Instance);

/// <summary>How far a version has come at a reader. The numbers are stored.</summary>
internal enum ReceiptState
{
    /// <summary>Sent to a reader that will say more; until then it is old.</summary>
    Sent = 0,

    /// <summary>It is there, or was sent to a reader that never says more.</summary>
    Delivered = 1,

    /// <summary>In use.</summary>
    Applied = 2,

    /// <summary>Not in use, with the reason.</summary>
    Rejected = 3,
}

/// <summary>A version of a setting at a reader.</summary>
/// <param name="Setting"><c>group/dataId</c>.</param>
/// <param name="Release">Empty for the setting's own text.</param>
internal readonly record struct ReceiptKey(ReaderKey Reader, string Setting, long Revision, string Release);

/// <summary>A reader as the store holds it.</summary>
/// <param name="Groups">As asked for; empty: all of the namespace.</param>
/// <param name="Principal">Who read, which decides what it may see.</param>
internal sealed record StoredReader(
    ReaderKey Key,
    IReadOnlyList<string> Groups,
    ImmutableSortedDictionary<string, string> Labels,
    bool SendsReceipts,
    string Principal,
    string Node,
    DateTimeOffset LastSeen)
{
    public ReaderIdentity Identity => new(Key.Service, Key.Instance, Labels, SendsReceipts);
}

/// <summary>A receipt as the store holds it.</summary>
internal sealed record StoredReceipt(
    ReceiptKey Key, ReceiptState State, string? Error, DateTimeOffset? SentAt, DateTimeOffset? ConfirmedAt);

/// <summary>The configuration keys of one setting that a reader has really read.</summary>
internal sealed record StoredReads(ReaderKey Reader, string Setting, IReadOnlyList<string> Keys);

/// <summary>What is known of the readers of one setting, at one moment of the database's clock.</summary>
internal sealed record AudienceRows(
    DateTimeOffset Now,
    IReadOnlyList<StoredReader> Readers,
    IReadOnlyList<StoredReceipt> Receipts,
    IReadOnlyList<StoredReads> Reads);

/// <summary>What one reader has said, to be stored in one piece.</summary>
internal sealed record ReaderReport(
    ReaderKey Reader,
    string Node,
    IReadOnlyList<ReportedReceipt> Receipts,
    IReadOnlyList<StoredReads> Reads,
    IReadOnlyList<(string Flag, string Variant, long Count)> Exposures);

/// <param name="IsCurrent">False: stored only where it is known to have been sent, because nothing else vouches for the
/// revision.</param>
internal sealed record ReportedReceipt(ReceiptKey Key, ReceiptState State, string? Error, bool IsCurrent);

/// <summary>What goes to the store in one transaction.</summary>
/// <param name="Sent">Versions that were sent.</param>
/// <param name="Versions">Revisions in force of the settings whose receipts get more, so that these stay.</param>
internal sealed record ReaderWrites(
    IReadOnlyList<StoredReader> Readers,
    IReadOnlyList<(ReceiptKey Key, ReceiptState State)> Sent,
    IReadOnlyList<ReaderReport> Reports,
    IReadOnlyDictionary<(string Namespace, string Setting), IReadOnlyList<long>> Versions);

namespace Groundwork.Services.KeyValue;

/// <summary>What the table of keys takes before it refuses. <c>docs/key-value.md</c> lists them.</summary>
internal static class KeyValueLimits
{
    /// <summary>Bytes of a key: a path of some depth. Longer ones are somebody's contents.</summary>
    public const int MaxKeyBytes = 2_048;

    /// <summary>Bytes of a value, as etcd takes in one request by default.</summary>
    public const int MaxValueBytes = 1_536 * 1024;

    /// <summary>Operations of one transaction, those of nested ones included.</summary>
    public const int MaxOperations = 128;

    /// <summary>
    /// Rows of one answer without a limit of the caller's: a tree of this many keys is read in pieces, or refused.
    /// </summary>
    public const int MaxRowsPerAnswer = 100_000;

    /// <summary>Bytes of values in one answer: what one call may hold in memory.</summary>
    public const long MaxAnswerBytes = 64L * 1024 * 1024;

    /// <summary>Leases and sessions of one store. Each is renewed by a write.</summary>
    public const int MaxLeases = 100_000;

    /// <summary>Watches and parked queries of one node.</summary>
    public const int MaxWatches = 20_000;

    /// <summary>Reads of woken watches under way at a time: the rest of the readers is for who asks anew.</summary>
    public const int MaxWatchReads = 16;

    /// <summary>Changes that a watch reads and sends at a time; a revision is never cut.</summary>
    public const int WatchBatch = 1_000;

    /// <summary>Rows of one transaction of the loops here: it holds the store's writer lock for milliseconds.</summary>
    public const int MaxRowsPerWrite = 1_000;

    /// <summary>Revisions whose history is kept at the least, whatever their age.</summary>
    public const long MinKeptRevisions = 10_000;

    /// <summary>Revisions whose history is kept at the most, however young.</summary>
    public const long MaxKeptRevisions = 100_000;

    /// <summary>History beyond <see cref="MinKeptRevisions"/> goes after this.</summary>
    public static readonly TimeSpan KeptHistory = TimeSpan.FromHours(1);

    /// <summary>
    /// Between a compaction and the removal of rows: watches that are up to date have read them long before.
    /// </summary>
    public static readonly TimeSpan PurgeDelay = TimeSpan.FromSeconds(10);
}

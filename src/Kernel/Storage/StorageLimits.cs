namespace Groundwork.Kernel.Storage;

/// <summary>The bounds that both engines keep.</summary>
public static class StorageLimits
{
    /// <summary>
    /// Writes that may wait for the writer. At 20,000 writes/s it is half a second of work; a longer queue only answers
    /// later.
    /// </summary>
    public const int MaxWaitingWrites = 10_000;

    /// <summary>
    /// Writes in one transaction. More gain nothing over the one sync that they share, and a retry redoes them all.
    /// </summary>
    public const int MaxWritesPerGroup = 512;

    /// <summary>Reads that may wait for a connection of the reader pool.</summary>
    public const int MaxWaitingReads = 4_096;

    /// <summary>
    /// Read connections at a time. SQLite reads are bound by processors, PostgreSQL reads by round trips.
    /// </summary>
    public const int MaxReaders = 8;

    /// <summary>Prepared statements that a connection keeps; modules have fewer than this in all.</summary>
    public const int MaxPreparedStatements = 256;

    /// <summary>
    /// How long a write waits for a database that is away before it fails with <c>storage_unavailable</c>: longer than
    /// a restart of PostgreSQL, shorter than most callers' patience.
    /// </summary>
    public static readonly TimeSpan MaxUnavailableWait = TimeSpan.FromSeconds(5);

    /// <summary>How long a node that starts waits for another that migrates the store.</summary>
    public static readonly TimeSpan MaxLockWait = TimeSpan.FromSeconds(60);
}

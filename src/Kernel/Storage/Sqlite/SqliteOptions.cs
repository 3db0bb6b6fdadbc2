namespace Groundwork.Kernel.Storage.Sqlite;

/// <summary>Where the SQLite file is and how it is kept.</summary>
public sealed record SqliteOptions
{
    /// <summary>
    /// Of the database file; its log and index stand beside it, so the directory belongs to it alone.
    /// </summary>
    public required string Path { get; init; }

    /// <summary>Read connections at a time.</summary>
    public int Readers { get; init; } = Math.Clamp(Environment.ProcessorCount, 2, StorageLimits.MaxReaders);

    /// <summary>
    /// Pages (4 KiB) in the write-ahead log after which the writer copies it to the database file: 16 MiB, which a
    /// start after a crash reads in well under a second.
    /// </summary>
    public int CheckpointPages { get; init; } = 4_096;

    /// <summary>
    /// Pages in the log after which the writer waits for readers to leave it, so that it can start over: 64 MiB.
    /// </summary>
    public int RestartPages { get; init; } = 16_384;

    /// <summary>Planted by the durability test, which must turn red: commits are not synced.</summary>
    internal bool WithoutSync { get; init; }

    /// <summary>Makes SQLite report a full disk at this size, for tests; 0 is no limit.</summary>
    internal int MaxPages { get; init; }
}

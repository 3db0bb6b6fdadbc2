namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>What etcd bounds by default, and as far as it does.</summary>
internal static class EtcdLimits
{
    /// <summary>Bytes of a request that changes something.</summary>
    public const int MaxRequestBytes = 1_536 * 1024;

    /// <summary>Bytes of any message: with what a client adds around such a request.</summary>
    public const int MaxMessageBytes = 2 * 1024 * 1024;

    /// <summary>Compares, or operations of one branch, of one transaction.</summary>
    public const int MaxOperations = KeyValueLimits.MaxOperations;

    /// <summary>Seconds of the shortest lease: one and a half elections of a cluster with defaults.</summary>
    public const long MinTtlSeconds = 2;

    /// <summary>Seconds of the longest.</summary>
    public const long MaxTtlSeconds = 9_000_000_000;

    /// <summary>Bytes of events in one answer of a watch; a revision is never cut.</summary>
    public const int WatchAnswerBytes = 1024 * 1024;

    /// <summary>Watches on one stream.</summary>
    public const int MaxWatchesPerStream = 1_000;

    /// <summary>A watch that asked for it hears so often that there is nothing to hear.</summary>
    public static readonly TimeSpan ProgressInterval = TimeSpan.FromMinutes(10);

    /// <summary>A token is good for so long; clients get a new one by themselves.</summary>
    public static readonly TimeSpan TokenLife = TimeSpan.FromMinutes(5);
}

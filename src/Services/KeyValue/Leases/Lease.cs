namespace Groundwork.Services.KeyValue.Leases;

/// <summary>What keys can end with: a lease of etcd, or a session of Consul, which is one with more to say.</summary>
/// <param name="Id">What etcd calls it by; a session has one too.</param>
/// <param name="Ttl">How long it lasts without being renewed; zero: until it is ended.</param>
/// <param name="Principal">Who began it, and may renew and end it.</param>
/// <param name="ExpiresAt">By the database's clock, Unix milliseconds; <see cref="Never"/>.</param>
internal sealed record Lease(long Id, TimeSpan Ttl, string Principal, long ExpiresAt = 0)
{
    /// <summary>The end of one that has none.</summary>
    public const long Never = long.MaxValue;

    /// <summary>The id of the session; null for a lease of etcd.</summary>
    public string? Session { get; init; }

    public string Name { get; init; } = "";

    /// <summary>Consul's node, which here is a word.</summary>
    public string Node { get; init; } = "";

    /// <summary>True when the end of the session removes what it holds; else that is released.</summary>
    public bool DeletesKeys { get; init; }

    /// <summary>How long after the session's end nobody else may acquire what it held.</summary>
    public TimeSpan LockDelay { get; init; }

    /// <summary>The number of the session's beginning among all that happened to sessions.</summary>
    public long Index { get; init; }

    /// <summary>When it ends if it is not renewed after the time given.</summary>
    public long EndFrom(long now) => Ttl > TimeSpan.Zero ? now + (long)Ttl.TotalMilliseconds : Never;
}

namespace Groundwork.Services.Settings.Protocols.Nacos;

/// <summary>Bounds and times of Nacos's configuration protocol.</summary>
internal static class NacosConfigLimits
{
    /// <summary>Bytes of a form: a text of the largest size, percent-encoded, and what is beside it.</summary>
    public const int MaxBodyBytes = 4 * 1024 * 1024;

    /// <summary>Configurations that one poll may name, as of Nacos itself.</summary>
    public const int MaxKeysPerPoll = 10_000;

    /// <summary>Polls that wait at once on this node; each is a connection, and a listener has 12,000.</summary>
    public const int MaxParked = 20_000;

    /// <summary>A poll is answered this much before the client's own patience is over.</summary>
    public static readonly TimeSpan AnswerEarly = TimeSpan.FromMilliseconds(500);

    /// <summary>The shortest that a poll is held, as of Nacos itself.</summary>
    public static readonly TimeSpan MinHold = TimeSpan.FromSeconds(10);

    /// <summary>The longest: within the idle limit of common proxies.</summary>
    public static readonly TimeSpan MaxHold = TimeSpan.FromMinutes(1);

    /// <summary>
    /// For how long a call that failed is known: the same again within it is told late. Longer than an error waits, so
    /// that whoever repeats a call without a pause stays late.
    /// </summary>
    public static readonly TimeSpan ErrorMemory = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The least that a repeated error waits before it is told. The npm client repeats a call that fails at once and
    /// without end: 903 times within 0.6 s were seen.
    /// </summary>
    public static readonly TimeSpan ErrorDelay = TimeSpan.FromSeconds(1);

    /// <summary>At most what is added to it, at random: clients that failed together come back apart.</summary>
    public static readonly TimeSpan ErrorSpread = TimeSpan.FromSeconds(2);

    /// <summary>Configurations on one page of a list, and versions on one of a history.</summary>
    public const int MaxPageSize = 500;

    /// <summary>Versions of one configuration that a history reaches back.</summary>
    public const int MaxVersions = 1_000;

    /// <summary>Addresses of one beta publication, as many as a gray release may list.</summary>
    public const int MaxBetaAddresses = 1_000;
}

namespace Groundwork.Services.KeyValue.Protocols.Consul;

/// <summary>What Consul bounds, and as far as it does.</summary>
internal static class ConsulLimits
{
    /// <summary>Bytes of a value, and of the body of a transaction.</summary>
    public const int MaxBodyBytes = 512 * 1024;

    /// <summary>Operations of a transaction.</summary>
    public const int MaxOperations = 128;

    /// <summary>
    /// What the listener lets pass, so that a body that is too long is refused in Consul's words; it is not read then.
    /// </summary>
    public const long RefusedBodyBytes = 1L << 40;

    /// <summary>Characters of a session's name and node.</summary>
    public const int MaxNameLength = 256;

    /// <summary>Without <c>wait</c>.</summary>
    public static readonly TimeSpan DefaultWait = TimeSpan.FromMinutes(5);

    /// <summary>Longer ones wait this long.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan MinTtl = TimeSpan.FromSeconds(10);

    public static readonly TimeSpan MaxTtl = TimeSpan.FromHours(24);

    public static readonly TimeSpan DefaultLockDelay = TimeSpan.FromSeconds(15);

    public static readonly TimeSpan MaxLockDelay = TimeSpan.FromSeconds(60);
}

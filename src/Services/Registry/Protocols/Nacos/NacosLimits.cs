namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>Bounds and times of Nacos's naming protocol.</summary>
internal static class NacosLimits
{
    /// <summary>Bytes of a form: the largest metadata, percent-encoded, and what stands beside it.</summary>
    public const int MaxBodyBytes = 128 * 1024;

    /// <summary>Bytes of a beat once it is decoded: more than the metadata of an instance may have.</summary>
    public const int MaxBeatBytes = 64 * 1024;

    /// <summary>What a client is told of how often to beat, in milliseconds; three beats are a lease.</summary>
    public const int BeatMilliseconds = 5_000;

    /// <summary>Milliseconds between two looks of a client that is pushed to, which is Nacos's own value.</summary>
    public const int PushedCacheMilliseconds = 10_000;

    /// <summary>The same of a client that asks for no push: it learns of changes by looking alone.</summary>
    public const int PolledCacheMilliseconds = 3_000;

    /// <summary>
    /// How long the last instance of a list is shown as unhealthy after it has gone. The npm client takes no notice of
    /// an empty list; this is six of its looks.
    /// </summary>
    public static readonly TimeSpan ShowDeparted = TimeSpan.FromSeconds(60);

    /// <summary>Subscribers in one list; how many there are stands beside it.</summary>
    public const int MaxListedSubscribers = 1_000;

    /// <summary>Subscriptions with a push, of all clients of this node: about 300 bytes each.</summary>
    public const int MaxSubscriptions = 50_000;

    /// <summary>The same of one address: some processes of one machine, each with some hundred services.</summary>
    public const int MaxSubscriptionsPerAddress = 5_000;

    /// <summary>A subscription that was not asked for again for so long is over: three looks of its client.</summary>
    public static readonly TimeSpan SubscriptionLife = TimeSpan.FromSeconds(35);

    /// <summary>Sendings of one push that is not acknowledged; the client's next look tells it anyway.</summary>
    public const int MaxPushAttempts = 3;

    /// <summary>Between two sendings of one push.</summary>
    public static readonly TimeSpan PushAgainAfter = TimeSpan.FromSeconds(1);

    /// <summary>Between two pushes of one round: changes within it travel as one.</summary>
    public static readonly TimeSpan PushCoalescing = TimeSpan.FromMilliseconds(50);

    /// <summary>Bytes from which a push is compressed, as Nacos does: a packet of Ethernet is hardly larger.</summary>
    public const int CompressedFrom = 1_024;

    /// <summary>Bytes of a datagram. A list that does not fit is not pushed; clients look by themselves.</summary>
    public const int MaxDatagramBytes = 60_000;

    /// <summary>Ports below belong to services that nobody subscribes with.</summary>
    public const int MinPushPort = 1_024;

    /// <summary>Local addresses that pushes are sent from: each listener has one or a few.</summary>
    public const int MaxPushSockets = 16;
}

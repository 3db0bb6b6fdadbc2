using System.Net;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>
/// One thing that one client follows. Nacos itself knows clients by address and port alone, so that a second filter
/// replaces the first.
/// </summary>
/// <param name="Peer">The address that its call came from, and the port that it named.</param>
/// <param name="Clusters">As it was sent; answers repeat it.</param>
internal readonly record struct SubscriptionKey(IPEndPoint Peer, ServiceKey Service, string Clusters);

/// <summary>A subscription and how it stands. Guarded by the book's gate unless a field says otherwise.</summary>
internal sealed class NacosSubscription(SubscriptionKey key, IPAddress local, string agent, string app)
{
    public SubscriptionKey Key => key;

    /// <summary>The address of ours that the client called, which pushes come from.</summary>
    public IPAddress Local => local;

    public string Agent => agent;

    public string App => app;

    /// <summary>When the client last asked for the list.</summary>
    public long SeenAt { get; set; }

    /// <summary>The push that is not acknowledged; null when there is none.</summary>
    public PendingPush? Pending { get; set; }
}

/// <summary>A push on its way.</summary>
/// <param name="Number">What the client acknowledges it by.</param>
internal sealed record PendingPush(long Number, ReadOnlyMemory<byte> Datagram)
{
    public int Attempts { get; set; }

    public long SentAt { get; set; }
}

using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Groundwork.Communication.Gateway.Certificates;

namespace Groundwork.Communication.Gateway.Listening;

/// <summary>How a connection came in: over which listener, and what its handshake said. One for each connection.
/// </summary>
internal sealed class Arrival(ListenerState listener)
{
    private byte[] serverName = [];
    private ImmutableArray<string> shownHosts = [];

    public ListenerState Listener => listener;

    public ListenerPlan Plan => listener.Plan;

    /// <summary>True when TLS ended before us, by a proxy that is believed in this.</summary>
    public bool CameOverTls { get; set; }

    /// <summary>What the client has shown, and was held to; null when nothing.</summary>
    public X509Certificate2? ClientCertificate { get; set; }

    /// <summary>The handshake is about to go on with this certificate.</summary>
    /// <param name="name">What the client asked for; empty when for nothing.</param>
    public void Secured(string name, ImmutableArray<string> hosts)
    {
        serverName = Encoding.ASCII.GetBytes(name.ToLowerInvariant());
        shownHosts = hosts;
    }

    /// <summary>
    /// True when the connection is for another host: one that the client did not ask for in its handshake, and that the
    /// certificate that it has seen does not cover (RFC 9110, 7.4). Clients that asked for none are let go on.
    /// </summary>
    public bool IsMisdirected(ReadOnlySpan<byte> host) =>
        serverName.Length > 0 && !host.SequenceEqual(serverName)
        && !ServedCertificate.Covers(shownHosts, Encoding.ASCII.GetString(host));
}

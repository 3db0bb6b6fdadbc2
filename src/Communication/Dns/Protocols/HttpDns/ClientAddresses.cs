using System.Collections.Immutable;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary>Where a client is: as a trusted call or a trusted proxy says, else where it calls from.</summary>
/// <param name="trustedProxies">Peers whose X-Forwarded-For is believed.</param>
internal sealed class ClientAddresses(ImmutableArray<IPNetwork> trustedProxies)
{
    /// <param name="said">What the call says, where that is believed; null: nothing.</param>
    public IPAddress Of(HttpContext context, string? said)
    {
        if (said is not null && IPAddress.TryParse(said, out var client)) return client;
        var peer = Plain(context.Connection.RemoteIpAddress ?? IPAddress.Loopback);
        // From the last proxy on, as long as each is trusted: what comes before anybody can have written.
        var forwarded = string.Join(',', context.Request.Headers["X-Forwarded-For"].ToArray());
        foreach (var hop in forwarded.Split(',', StringSplitOptions.TrimEntries).Reverse())
        {
            if (!IsTrusted(peer) || !IPAddress.TryParse(hop, out var before)) break;
            peer = Plain(before);
        }
        return peer;
    }

    private bool IsTrusted(IPAddress peer)
    {
        foreach (var network in trustedProxies)
            if (network.Contains(peer)) return true;
        return false;
    }

    private static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}

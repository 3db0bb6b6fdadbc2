using System.Net;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Services.Registry.Protocols.Sights;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Watching;

/// <summary>
/// Whose call a watch is. Keeps what the call has as it is, and words it only for who asks: thousands wait.
/// </summary>
/// <param name="protocol">The protocol that it came by.</param>
/// <param name="how">How it waits.</param>
/// <param name="name">The instance that named itself, else the principal.</param>
internal sealed class Watcher(string protocol, string how, string name, HttpContext context, TimeProvider time)
{
    private readonly string client = context.Request.Headers.UserAgent.ToString(); // The header's own text.
    private readonly IPAddress? peer = context.Connection.RemoteIpAddress; // Null over the Unix socket.
    private readonly DateTimeOffset since = time.GetUtcNow();

    public string Protocol => protocol;

    public Subscriber Describe() => new(
        how, ProtocolCalls.Clean(client), name,
        (peer is { IsIPv4MappedToIPv6: true } ? peer.MapToIPv4() : peer)?.ToString(), since);
}

using System.Net;
using System.Net.Sockets;
using Groundwork.Wire;

namespace Groundwork.Client.Registration;

/// <summary>
/// Where others reach this instance; the ports of further addresses by scheme, or null when there are none.
/// </summary>
internal sealed record AdvertisedAddress(string Scheme, string Host, int Port, IReadOnlyDictionary<string, int>? Ports)
{
    /// <summary>
    /// Chosen from what the server listens on: the first http address, else the first https one. A server that listens
    /// on all addresses is advertised by the one from which this machine reaches the platform.
    /// </summary>
    /// <returns>Null when the server listens on no TCP port and none is configured.</returns>
    public static AdvertisedAddress? From(IEnumerable<string> listening, GroundworkOptions options, Uri platform)
    {
        var parsed = listening.Select(Parse).OfType<(string Scheme, string Host, int Port)>().ToList();
        var primary = parsed.OrderBy(address => address.Scheme == Uri.UriSchemeHttp ? 0 : 1).FirstOrDefault();
        if (parsed.Count == 0)
        {
            return options is { AdvertisedHost: { } host, AdvertisedPort: > 0 }
                ? new AdvertisedAddress(Uri.UriSchemeHttp, host, options.AdvertisedPort, null)
                : null;
        }
        var others = parsed.Where(address => address.Scheme != primary.Scheme)
            .DistinctBy(address => address.Scheme)
            .ToDictionary(address => address.Scheme, address => address.Port, StringComparer.Ordinal);
        return new AdvertisedAddress(
            primary.Scheme,
            options.AdvertisedHost ?? Reachable(primary.Host, platform),
            options.AdvertisedPort > 0 ? options.AdvertisedPort : primary.Port,
            others.Count > 0 ? others : null);
    }

    // Kestrel writes http://[::]:80, http://0.0.0.0:80, http://+:80, http://*:80, http://localhost:80 and
    // http://unix:/path.
    private static (string Scheme, string Host, int Port)? Parse(string text)
    {
        var end = text.IndexOf("://", StringComparison.Ordinal);
        if (end < 0 || text.AsSpan(end + 3).StartsWith("unix:", StringComparison.OrdinalIgnoreCase)) return null;
        var wild = text.Replace("://+", "://0.0.0.0", StringComparison.Ordinal)
            .Replace("://*", "://0.0.0.0", StringComparison.Ordinal);
        return Uri.TryCreate(wild, UriKind.Absolute, out var uri) && uri.Port > 0
            ? (uri.Scheme, uri.Host.Trim('[', ']'), uri.Port)
            : null;
    }

    private static string Reachable(string host, Uri platform)
    {
        if (host == "localhost") return "127.0.0.1";
        if (!IPAddress.TryParse(host, out var address)) return host;
        if (!address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)) return host;
        return OwnAddressTowards(platform) ?? "127.0.0.1";
    }

    // Connecting a datagram socket sends nothing: it only asks the routing table.
    private static string? OwnAddressTowards(Uri platform)
    {
        if (platform.IsLoopback) return "127.0.0.1";
        try
        {
            using var socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(platform.Host.Trim('[', ']'), platform.Port);
            var own = (socket.LocalEndPoint as IPEndPoint)?.Address;
            return own is { IsIPv4MappedToIPv6: true } ? own.MapToIPv4().ToString() : own?.ToString();
        }
        catch (SocketException)
        {
            return null; // The platform's name does not resolve now; the log of the connection says so.
        }
    }
}

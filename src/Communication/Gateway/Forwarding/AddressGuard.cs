using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>
/// Addresses that upstreams never have: our own listeners, which trust what comes from this machine, and link-local
/// ones, where clouds keep their credentials. Asked with the address that is connected, after names are resolved.
/// </summary>
/// <param name="listeners">Where this process listens.</param>
internal sealed class AddressGuard(Func<IEnumerable<IPEndPoint>> listeners)
{
    /// <summary>Why the address may not be called; null when it may.</summary>
    public string? Explain(IPAddress address, int port)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (IsLinkLocal(address)) return "a link-local address";
        // Connecting to "any" connects to this machine, and would walk around the comparison below.
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) return "no address of one machine";
        if (address.Equals(IPAddress.Broadcast) || address.IsIPv6Multicast || IsMulticast(address))
            return "no address of one machine";
        foreach (var listener in listeners())
            if (listener.Port == port && Reaches(listener.Address, address)) return "a listener of this process";
        return null;
    }

    private static bool IsLinkLocal(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6
            ? address.IsIPv6LinkLocal
            : address.GetAddressBytes() is [169, 254, ..];

    private static bool IsMulticast(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] is >= 224 and <= 239;

    private static bool Reaches(IPAddress listener, IPAddress target)
    {
        if (listener.IsIPv4MappedToIPv6) listener = listener.MapToIPv4();
        if (listener.Equals(target)) return true;
        return (listener.Equals(IPAddress.Any) || listener.Equals(IPAddress.IPv6Any)) && IsOfThisMachine(target);
    }

    private static bool IsOfThisMachine(IPAddress address) =>
        IPAddress.IsLoopback(address)
        || NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(network => network.GetIPProperties().UnicastAddresses)
            .Any(own => own.Address.Equals(address));
}

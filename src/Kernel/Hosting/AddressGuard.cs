using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// Addresses that nobody who names one may have us call, be it for an instance, a probe or a webhook: our own
/// listeners, which trust what comes from this machine, and link-local ones and their like, where clouds keep their
/// credentials. Asked with the address that is connected, after names are resolved; an IPv6 address that stands for an
/// IPv4 one is judged as both.
/// </summary>
/// <param name="listeners">Where this process listens.</param>
/// <param name="linkLocal">Link-local networks that the operator allows. Nothing else is allowed by it.</param>
public sealed class AddressGuard(Func<IEnumerable<IPEndPoint>> listeners, ImmutableArray<IPNetwork> linkLocal)
{
    /// <summary>
    /// Where clouds keep credentials besides link-local addresses: AWS and Google over IPv6, Alibaba.
    /// </summary>
    private static readonly ImmutableArray<IPAddress> Metadata =
        [IPAddress.Parse("fd00:ec2::254"), IPAddress.Parse("fd20:ce::254"), IPAddress.Parse("100.100.100.200")];

    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96"); // RFC 6052
    private static readonly IPNetwork LocalNat64 = IPNetwork.Parse("64:ff9b:1::/48"); // RFC 8215
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16"); // RFC 3056
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96"); // RFC 4291, 2.5.5.1

    /// <summary>Why the address may not be called; null when it may.</summary>
    public string? Explain(IPAddress address, int port) =>
        ExplainOne(address, port) ?? (Embedded(address) is { } inner ? ExplainOne(inner, port) : null);

    private string? ExplainOne(IPAddress address, int port)
    {
        if (IsLinkLocal(address) && !IsListed(address)) return "a link-local address";
        if (Metadata.Contains(address) && !IsListed(address)) return "an address of cloud credentials";
        // Connecting to "any" connects to this machine, and would walk around the comparison below.
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) return "no address of one machine";
        if (address.Equals(IPAddress.Broadcast) || address.IsIPv6Multicast || IsMulticast(address))
            return "no address of one machine";
        foreach (var listener in listeners())
            if (listener.Port == port && Reaches(listener.Address, address)) return "a listener of this process";
        return null;
    }

    /// <summary>
    /// The IPv4 address that an IPv6 one stands for: mapped, translated or tunnelled, wherever a gateway of the network
    /// would send it.
    /// </summary>
    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return null;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        if (SixToFour.Contains(address)) return new IPAddress(bytes.AsSpan(2, 4));
        // Of the local prefix only the form with 96 bits; the others put the address around bits that must be zero.
        if (Nat64.Contains(address) || LocalNat64.Contains(address)) return new IPAddress(bytes.AsSpan(12));
        // :: and ::1 are of the same network, and are themselves.
        return Compatible.Contains(address) && bytes.AsSpan(12).IndexOfAnyExcept((byte)0) is >= 0 and < 3
            ? new IPAddress(bytes.AsSpan(12))
            : null;
    }

    private bool IsListed(IPAddress address)
    {
        var plain = new IPAddress(address.GetAddressBytes()); // Without the scope, which no network has.
        foreach (var network in linkLocal)
            if (network.Contains(plain)) return true;
        return false;
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

using System.Collections.Immutable;
using System.Net;

namespace Groundwork.Communication.Gateway.Callers;

/// <summary>Networks of addresses: a list that is gone through.</summary>
internal sealed class NetworkList
{
    private readonly ImmutableArray<IPNetwork> networks;

    public NetworkList(ImmutableArray<IPNetwork> networks) => this.networks = networks.IsDefault ? [] : networks;

    public static NetworkList Empty { get; } = new([]);

    public bool IsEmpty => networks.IsEmpty;

    /// <summary>Reads what <see cref="Explain"/> has nothing against.</summary>
    public static NetworkList Parse(IEnumerable<string> texts) =>
        new([.. texts.Select(Read).OfType<IPNetwork>()]);

    /// <summary>What is wrong with the text; null when nothing is.</summary>
    public static string? Explain(string text) =>
        Read(text) is null ? "must be a network or an address, such as 10.0.0.0/8" : null;

    public bool Contains(IPAddress? address)
    {
        if (address is null) return false;
        foreach (var network in networks)
            if (network.Contains(address)) return true;
        return false;
    }

    private static IPNetwork? Read(string text)
    {
        if (IPNetwork.TryParse(text, out var network)) return network;
        return IPAddress.TryParse(text, out var single)
            ? new IPNetwork(single, single.GetAddressBytes().Length * 8)
            : null;
    }
}

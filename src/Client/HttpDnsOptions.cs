using System.Net;

namespace Groundwork.Client;

/// <summary>How a <see cref="HttpDnsResolver"/> finds addresses.</summary>
public sealed record HttpDnsOptions
{
    /// <summary>Servers of HTTPDNS, such as <c>http://10.0.0.5:7480</c>; the first is asked until it fails.</summary>
    public required IReadOnlyList<Uri> Servers { get; init; }

    /// <summary>The account's id.</summary>
    public required string Account { get; init; }

    /// <summary>Signs requests: hexadecimal digits. Null: unsigned, which the account must allow.</summary>
    public string? Secret { get; init; }

    /// <summary>Encrypts requests and answers (AES-GCM): hexadecimal digits. Null: in clear.</summary>
    public string? AesKey { get; init; }

    /// <summary>
    /// Whose certificate servers over TLS must show, as their addresses are seldom in one; null: the address's own.
    /// </summary>
    public string? ServerIdentity { get; init; }

    /// <summary>How long one server may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long somebody waits for the first addresses of a name, before local DNS is asked.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Addresses that are too old are used while new ones are fetched. False: whoever asks waits for the new ones.
    /// </summary>
    public bool UseStale { get; init; } = true;

    /// <summary>Names that are asked for at once, before anybody needs them.</summary>
    public IReadOnlyList<string> PreResolve { get; init; } = [];

    /// <summary>Names whose addresses are ranked by how soon they connect, each with the port to try.</summary>
    public IReadOnlyDictionary<string, int> RankPorts { get; init; } = new Dictionary<string, int>();

    /// <summary>Names whose addresses do not change with the network: they are kept when it does.</summary>
    public IReadOnlyList<string> KeptOverNetworks { get; init; } = [];

    /// <summary>Changes how long the addresses of a name are good, which the server says; null: as it says.</summary>
    public Func<string, TimeSpan, TimeSpan>? Ttl { get; init; }

    /// <summary>True: IPv6 addresses are asked for, too.</summary>
    public bool IPv6 { get; init; } = true;

    /// <summary>What is asked when no server answers; the machine's own resolver unless given.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> LocalDns { get; init; } =
        static (host, cancellationToken) => Dns.GetHostAddressesAsync(host, cancellationToken);

    /// <summary>By which addresses grow old; the machine's clock unless given.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>Where addresses came from.</summary>
public enum HttpDnsOrigin
{
    /// <summary>Just now from a server.</summary>
    Server,

    /// <summary>From a server before, and still good.</summary>
    Kept,

    /// <summary>From a server before, too old, and being renewed.</summary>
    Stale,

    /// <summary>From local DNS, because no server answered.</summary>
    LocalDns,
}

/// <summary>The addresses of a name, the best first.</summary>
public sealed record HttpDnsAddresses(IReadOnlyList<IPAddress> Addresses, HttpDnsOrigin Origin);

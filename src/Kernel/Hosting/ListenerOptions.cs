using System.Collections.Immutable;
using System.Net;

namespace Groundwork.Kernel.Hosting;

/// <summary>What the process configuration says about one listener.</summary>
public sealed record ListenerOptions
{
    /// <summary>True: nothing of it is served anywhere.</summary>
    public bool Off { get; init; }

    /// <summary>Null: the definition's default.</summary>
    public ListenAddress? Address { get; init; }

    /// <summary>Null: in clear.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>
    /// The proxies that end TLS in front of this listener. Connections from anywhere else but loopback are refused.
    /// </summary>
    public ImmutableArray<IPNetwork> TlsTerminatedBy { get; init; } = [];

    /// <summary>True to bind a public address in clear, which only some listeners may.</summary>
    public bool Plain { get; init; }

    /// <summary>Names in the Host header, besides the loopback ones, that a listener on loopback answers to.</summary>
    public ImmutableArray<string> HostNames { get; init; } = [];
}

/// <summary>A certificate chain and its key, both PEM. Read again when the files change.</summary>
public sealed record TlsOptions(string CertificateFile, string KeyFile);

/// <summary>How all listeners of a node behave.</summary>
public sealed record ListenersOptions
{
    public ImmutableDictionary<string, ListenerOptions> ByName { get; init; } =
        ImmutableDictionary<string, ListenerOptions>.Empty;

    /// <summary>Where the API's Unix socket goes; null opens none.</summary>
    public string? ApiSocket { get; init; }

    /// <summary>Also opens the ports that public clients expect, of protocols that are on another listener.</summary>
    public bool WellKnownPorts { get; init; }

    /// <summary>
    /// Takes the next free port when one is taken, as <c>up</c> does; otherwise a taken port is a fault.
    /// </summary>
    public bool NextFreePort { get; init; }

    /// <summary>
    /// Runs continuations on the socket threads: only in a process that is nothing but the gateway (the edge profile),
    /// because a handler that blocks there stalls every other connection.
    /// </summary>
    public bool InlineScheduling { get; init; }

    /// <summary>Sockets that are open already.</summary>
    public InheritedSockets Inherited { get; init; } = InheritedSockets.None;
}

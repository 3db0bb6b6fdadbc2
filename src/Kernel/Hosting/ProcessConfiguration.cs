using System.Collections.Immutable;
using System.Net;
using Groundwork.Kernel.Hosting.Configuration;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// What is needed before the store opens, from <c>groundwork.yaml</c>, <c>GROUNDWORK_*</c> and flags, in rising
/// precedence. Everything else is a resource.
/// </summary>
public sealed record ProcessConfiguration
{
    /// <summary>Absolute path of the node's own directory.</summary>
    public required string DataDirectory { get; init; }

    public DatabaseOptions Database { get; init; } = DatabaseOptions.Sqlite;

    /// <summary>Unique in the cluster; one segment of a name.</summary>
    public required string NodeName { get; init; }

    /// <summary>Absolute path of the root key.</summary>
    public required string RootKeyFile { get; init; }

    /// <summary>What runs here, in start order.</summary>
    public required ModuleSelection Modules { get; init; }

    /// <summary>The node whose resources this one follows; null for a node with a store.</summary>
    public FollowOptions? Follow { get; init; }

    /// <summary>Proxies whose <c>X-Forwarded-*</c> is believed.</summary>
    public ImmutableArray<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>Link-local networks that upstreams, probes and webhooks may connect to.</summary>
    public ImmutableArray<IPNetwork> LinkLocalUpstreams { get; init; } = [];

    /// <summary>Folders out of which routes of the gateway may give files.</summary>
    public ImmutableArray<string> FileRoots { get; init; } = [];

    /// <summary>The place this node runs in; null when nothing says so.</summary>
    public string? Zone { get; init; }

    /// <summary>Where the gateway writes a line for each request; null: nowhere.</summary>
    public AccessLogFile? AccessLog { get; init; }

    /// <summary>MiB of answers that the gateway keeps in memory; 0: none.</summary>
    public int CacheMegabytes { get; init; } = DefaultCacheMegabytes;

    /// <summary>Requests that may be under way at the gateway.</summary>
    public int MaxRequestsUnderWay { get; init; } = DefaultMaxRequestsUnderWay;

    /// <summary>The fields by which the gateway reads and passes on traces: of <c>w3c</c>, <c>b3</c> and
    /// <c>b3-multi</c>.</summary>
    public ImmutableArray<string> TraceHeaders { get; init; } = ["w3c"];

    public ImmutableDictionary<string, ListenerOptions> Listeners { get; init; } =
        ImmutableDictionary<string, ListenerOptions>.Empty;

    /// <summary>Also opens the ports that public clients expect.</summary>
    public bool WellKnownPorts { get; init; }

    /// <summary>The longest that a stop takes before it cuts what is under way.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(DefaultDrainSeconds);

    /// <summary>
    /// Takes the next free port where one is taken. Set by <c>up</c>; not a key, because a server must be findable.
    /// </summary>
    public bool NextFreePort { get; init; }

    /// <summary>
    /// Every option with the value in force and where it came from, secrets masked; for <c>doctor</c>.
    /// </summary>
    public ImmutableArray<ConfigurationValue> Values { get; init; } = [];

    /// <summary>
    /// True in a process that is exactly the gateway: inline socket completions are safe there and nowhere else.
    /// </summary>
    public bool IsEdge => Modules.IsEdge;

    /// <summary>A small part of what a machine has.</summary>
    public const int DefaultCacheMegabytes = 128;

    /// <summary>At 20 KB each 400 MB.</summary>
    public const int DefaultMaxRequestsUnderWay = 20_000;

    internal const int DefaultDrainSeconds = 30;

    /// <summary>All keys, in the order that <c>doctor</c> and the operating guide show them.</summary>
    public static ImmutableArray<ProcessOption> Options { get; } =
    [
        new("data", "/var/lib/groundwork (up: ./.groundwork)", "path",
            "The node's own directory, 0700: embedded database, root key, API socket, audit checkpoints."),
        new("database", "sqlite", "sqlite or connection string",
            "sqlite keeps everything in the data directory; a PostgreSQL connection string or URL lets several nodes "
            + "share one store.")
            { IsSecret = true },
        new("databaseFile", "", "path",
            "A file that holds the connection string, so that the password is in no process list."),
        new("nodeName", "the host's name", "name",
            "Names the node in leases, logs and history; unique in the cluster."),
        new("rootKeyFile", "root.key in the data directory", "path",
            "Wraps the keys that encrypt secrets. The same on all nodes of an install; never in a backup."),
        new("modules", "all", "names", "What runs here; what they need comes along."),
        new("follow", "", "URL",
            "Reads resources from this node's API instead of a database: an edge box needs no credentials of it."),
        new("followKeyFile", "", "path", "A 0600 file with the access key for the followed node."),
        new("trustedProxies", "", "CIDRs", "Peers whose X-Forwarded-* headers are believed; others' are overwritten."),
        new("linkLocalUpstreams", "", "CIDRs",
            "Link-local networks where services may be called; otherwise none, as clouds keep credentials there."),
        new("fileRoots", "", "paths",
            "Folders out of which the gateway's routes may give files and sources of configuration may read; without "
            + "one none does."),
        new("zone", "", "name", "The place this node runs in; upstreams that prefer their own zone go by it."),
        new("accessLog", "off", "off, stdout or path",
            "Where the gateway writes a line for each request; a path's directory must exist."),
        new("accessLogFormat", "json", "json or combined", "How such a line is written."),
        new("accessLogMegabytes", "100", "MB", "The size at which the file is put aside and another begun."),
        new("accessLogFiles", "5", "files", "How many of those put aside are kept."),
        new("cacheMegabytes", "128", "MiB",
            "Answers that the gateway keeps in memory for routes with a cache; 0: it keeps none."),
        new("maxRequestsUnderWay", "20000", "requests",
            "Requests at the gateway with which it refuses further ones; those that matter less from 70 or 90 % of "
            + "it. Each takes about 20 KB."),
        new("traceHeaders", "w3c", "w3c, b3, b3-multi",
            "The fields by which the gateway reads traces, the first that is there, and passes them on, all of them."),
        new("drainSeconds", "30", "seconds",
            "The longest that a stop waits for requests under way; a rolling restart should allow the slowest of "
            + "them."),
        new("listeners.wellKnownPorts", "false", "boolean",
            "Also opens the ports that public clients expect, for the protocols of the modules that run."),
        new("listeners.NAME", "on", "off",
            "Off: this protocol of others is not spoken, neither here nor on a shared listener."),
        new("listeners.NAME.address", "the listener's own, on loopback", "host:port",
            "Where it listens. Off loopback it needs tls or tlsTerminatedBy."),
        new("listeners.NAME.tls.certificateFile", "", "path", "PEM, the leaf first; read again when it changes."),
        new("listeners.NAME.tls.keyFile", "", "path", "PEM."),
        new("listeners.NAME.tlsTerminatedBy", "", "CIDRs", "Proxies that end TLS in front; others cannot connect."),
        new("listeners.NAME.plain", "false", "boolean", "Serves in clear off loopback: for the gateway alone."),
        new("listeners.NAME.hostNames", "", "names",
            "Host headers that a listener on loopback answers to, besides localhost."),
    ];

    /// <summary>Reads and checks all of it; tells every fault at once.</summary>
    public static Outcome<ProcessConfiguration> Read(ConfigurationSources sources) => ConfigurationReader.Read(sources);
}

/// <summary>One key of the process configuration.</summary>
/// <param name="Key">Its path in <c>groundwork.yaml</c>.</param>
/// <param name="Default">For people.</param>
/// <param name="Unit">What its value is.</param>
/// <param name="Why">What it is for.</param>
public sealed record ProcessOption(string Key, string Default, string Unit, string Why)
{
    /// <summary>True when the value may hold a password and is shown masked.</summary>
    public bool IsSecret { get; init; }

    /// <summary>Such as <c>GROUNDWORK_DRAIN_SECONDS</c>.</summary>
    public string EnvironmentName => ConfigurationNames.ToEnvironment(Key);

    /// <summary>Such as <c>--drain-seconds</c>.</summary>
    public string Flag => ConfigurationNames.ToFlag(Key);
}

/// <summary>Where a configuration comes from.</summary>
public sealed record ConfigurationSources
{
    /// <summary>The file to read; null when there is none.</summary>
    public string? File { get; init; }

    /// <summary>All environment variables of the process.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Flags in the order given, by the keys they set; lists are separated by commas.</summary>
    public ImmutableArray<ConfigurationFlag> Flags { get; init; } = [];

    /// <summary>
    /// What relative paths of flags and variables start from; those of the file start from its directory.
    /// </summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>The data directory unless configured: <c>./.groundwork</c> for <c>up</c>.</summary>
    public string DefaultDataDirectory { get; init; } = "/var/lib/groundwork";

    /// <summary>The node's name unless configured.</summary>
    public required string HostName { get; init; }
}

/// <summary>A flag of the command line that sets a key.</summary>
public readonly record struct ConfigurationFlag(string Flag, string Key, string Value);

/// <summary>A key with the value in force.</summary>
/// <param name="Value">As written, secrets masked.</param>
/// <param name="Origin"><c>default</c>, <c>path:line</c>, a variable's name or a flag.</param>
public sealed record ConfigurationValue(string Key, string Value, string Origin);

/// <summary>The store: embedded, or a PostgreSQL server's.</summary>
/// <param name="ConnectionString">Of PostgreSQL, in Npgsql's form; null for SQLite. Holds a password.</param>
public sealed record DatabaseOptions(string? ConnectionString)
{
    public static DatabaseOptions Sqlite { get; } = new((string?)null);

    public bool IsPostgres => ConnectionString is not null;

    // The compiler's version would print the password.
    public override string ToString() => IsPostgres ? "postgresql" : "sqlite";
}

/// <summary>The node to follow.</summary>
public sealed record FollowOptions(Uri Address, string? AccessKeyFile);

/// <summary>Where the gateway's access log goes.</summary>
/// <param name="Path">Absolute; null for the standard output.</param>
/// <param name="Megabytes">The size at which a file is put aside.</param>
/// <param name="Files">How many of those are kept.</param>
public sealed record AccessLogFile(string? Path, bool IsCombined, int Megabytes, int Files);

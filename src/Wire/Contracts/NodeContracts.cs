namespace Groundwork.Wire.Contracts;

/// <summary>A node of the cluster.</summary>
/// <param name="State"><c>live</c> or <c>expired</c>.</param>
/// <param name="Storage"><c>reachable</c>, or <c>cut-off</c> while the node answers from memory and refuses
/// writes.</param>
public sealed record NodeDocument(
    string Name,
    string ApiAddress,
    string Version,
    string State,
    string Storage,
    IReadOnlyList<string> Modules,
    DateTimeOffset StartedAt,
    DateTimeOffset LeaseUntil);

/// <summary>All nodes that share the store.</summary>
public sealed record NodeList(string StoreId, string Engine, IReadOnlyList<NodeDocument> Items);

/// <summary>A named lease: what one node does for all of them.</summary>
/// <param name="Name">Such as <c>registry/prober</c>.</param>
/// <param name="Holder">The node that holds it, or held it last.</param>
/// <param name="Token">Grows with every holder; writes under an older one are refused.</param>
/// <param name="State"><c>held</c> or <c>free</c>.</param>
/// <param name="Until">When it ends unless renewed, by the database's clock.</param>
public sealed record LeaseDocument(string Name, string Holder, long Token, string State, DateTimeOffset Until);

/// <summary>All named leases of the nodes that share a store.</summary>
public sealed record LeaseList(IReadOnlyList<LeaseDocument> Items);

/// <summary>A module, its layer, what it needs, and whether it runs here.</summary>
public sealed record ModuleDocument(string Name, string Layer, IReadOnlyList<string> Needs, bool Running);

/// <summary>All modules in start order.</summary>
public sealed record ModuleList(IReadOnlyList<ModuleDocument> Items);

/// <summary>What is running.</summary>
public sealed record VersionDocument(string Version, string Runtime, string Engine, string StoreId, long Revision);

/// <summary>Answers <c>/health/live</c> and <c>/health/ready</c>.</summary>
/// <param name="Status"><c>ok</c>, <c>degraded</c> or <c>failing</c>.</param>
/// <param name="Reasons">Empty when ok.</param>
public sealed record HealthDocument(string Status, IReadOnlyList<string> Reasons);

/// <summary>A process option with the value in force.</summary>
/// <param name="Value">Secrets masked.</param>
/// <param name="Origin"><c>default</c>, <c>file:line</c>, a variable's name or a flag.</param>
public sealed record DoctorOption(string Key, string Value, string Origin, string Default, string Unit, string Why);

/// <summary>
/// What a node knows of its own process; the rest of <c>doctor</c> is looked up where the process runs.
/// </summary>
/// <param name="FreeBytes">Of the disk that holds the data directory.</param>
/// <param name="Listeners">Real addresses by listener.</param>
public sealed record DoctorDocument(
    string Node,
    int Pid,
    DateTimeOffset StartedAt,
    string Engine,
    string DataDirectory,
    long FreeBytes,
    IReadOnlyList<DoctorOption> Options,
    IReadOnlyDictionary<string, string> Listeners,
    HealthDocument Health);

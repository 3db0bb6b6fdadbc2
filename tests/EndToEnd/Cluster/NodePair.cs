using System.Collections.Immutable;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd.Cluster;

/// <summary>
/// Two node processes over one real PostgreSQL database, joined as an operator joins them: the first makes the root
/// key, which is copied to the second.
/// </summary>
internal sealed class NodePair : IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly Dictionary<string, GroundworkProcess> nodes = new(StringComparer.Ordinal);

    private NodePair(string database) => Database = database;

    /// <summary>How both connect.</summary>
    public string Database { get; }

    public GroundworkProcess this[string name] => nodes[name];

    public GroundworkProcess A => this["a"];

    public GroundworkProcess B => this["b"];

    public static async Task<NodePair> StartAsync(
        PostgresServer server, IReadOnlyDictionary<string, string>? environmentOfB = null)
    {
        var pair = new NodePair(await server.CreateDatabaseAsync());
        try
        {
            await pair.StartAsync("a");
            pair.CopyRootKey(from: "a", to: "b");
            await pair.StartAsync("b", environmentOfB);
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a node on its directory, or starts it again.</summary>
    public async Task<GroundworkProcess> StartAsync(
        string name, IReadOnlyDictionary<string, string>? environment = null)
    {
        if (nodes.Remove(name, out var before)) await before.DisposeAsync();
        var started = await GroundworkProcess.StartAsync(
            DataOf(name), environment ?? ImmutableDictionary<string, string>.Empty, Arguments(name));
        nodes[name] = started;
        return started;
    }

    /// <summary>Runs a node that is expected to end by itself.</summary>
    public GroundworkProcess Try(string name)
    {
        var started = GroundworkProcess.Start(DataOf(name), Arguments(name));
        nodes[name] = started;
        return started;
    }

    public RootKey RootKeyOf(string name) => RootKeyFile.Read(RootKeyPathOf(name)).Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes.Values) await node.DisposeAsync();
        directory.Dispose();
    }

    private string DataOf(string name) => directory.Combine(name);

    private string RootKeyPathOf(string name) => Path.Combine(DataOf(name), RootKeyFile.DefaultName);

    private void CopyRootKey(string from, string to)
    {
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Directory.CreateDirectory(DataOf(to), owner | UnixFileMode.UserExecute);
        File.Copy(RootKeyPathOf(from), RootKeyPathOf(to));
        File.SetUnixFileMode(RootKeyPathOf(to), owner);
    }

    private string[] Arguments(string name) =>
    [
        "run", .. GroundworkProcess.AnyPorts,
        "--set", $"database={Database}", "--set", $"nodeName={name}",
    ];
}

using System.Globalization;
using Groundwork.Kernel.Hosting;
using Groundwork.Load.Wire;

namespace Groundwork.Load.Peers;

/// <summary>
/// Our gateway with one route to one server: in the node itself, or in a process of its own that follows the node (the
/// edge profile).
/// </summary>
internal sealed class GroundworkEdge : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    private readonly GroundworkNode node;
    private readonly ServerProcess? edge;
    private readonly DirectoryInfo directory;

    private GroundworkEdge(GroundworkNode node, ServerProcess? edge, int port, DirectoryInfo directory)
    {
        this.node = node;
        this.edge = edge;
        Port = port;
        this.directory = directory;
    }

    /// <summary>The process that is measured.</summary>
    public ServerProcess Process => edge ?? node.Process;

    /// <summary>Of the gateway.</summary>
    public int Port { get; }

    /// <param name="resources">What takes the place of a bare route.</param>
    public static async Task<GroundworkEdge> StartAsync(int origin, bool alone, EdgeResources? resources = null)
    {
        var core = await GroundworkNode.StartAsync();
        var owned = Directory.CreateTempSubdirectory("groundwork-load-edge-");
        try
        {
            await PrepareAsync(core, origin, resources ?? EdgeResources.Bare);
        }
        catch
        {
            await core.DisposeAsync(); // Its process would stay.
            throw;
        }
        if (!alone) return new GroundworkEdge(core, null, PortOf(core.Listeners["gateway"]), owned);
        var key = Path.Combine(owned.FullName, "edge.key");
        await File.WriteAllTextAsync(key, core.AccessKey);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var data = Path.Combine(owned.FullName, "data");
        var process = ServerProcess.Start(
            Path.Combine(AppContext.BaseDirectory, "groundwork"),
            [
                "run", "--modules", "gateway", "--data", data,
                "--follow", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{core.Port}"),
                "--follow-key-file", key,
                "--set", "listeners.api.address=127.0.0.1:0", "--set", "listeners.gateway.address=127.0.0.1:0",
                .. resources is { AccessLog: true }
                    ? (string[])["--set", $"accessLog={Path.Combine(owned.FullName, "access.log")}"]
                    : [],
            ],
            quiet: true);
        var about = await GroundworkNode.ReadNodeFileAsync(data, process);
        return new GroundworkEdge(core, process, PortOf(about.Listeners["gateway"]), owned);
    }

    /// <summary>Waits until the route leads to the server.</summary>
    /// <param name="answerBytes">At most.</param>
    public async Task ServesAsync(ReadOnlyMemory<byte> request, int answerBytes)
    {
        using var patience = new CancellationTokenSource(StartPatience, TimeProvider.System);
        while (true)
        {
            try
            {
                using var connection = await Http1Connection.OpenAsync(Port, answerBytes);
                await connection.SendAsync(request);
                return;
            }
            catch (InvalidDataException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (edge is not null) await edge.DisposeAsync();
        await node.DisposeAsync();
        directory.Delete(recursive: true);
    }

    private static async Task PrepareAsync(GroundworkNode core, int origin, EdgeResources resources)
    {
        using var connection = await core.ConnectAsync();
        foreach (var (key, spec) in resources.Specs)
            await connection.SendAsync(core.Request("PUT", $"resources/{key}", spec));
        await connection.SendAsync(core.Request(
            "PUT", "registry/instances",
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"service":"origin","host":"127.0.0.1","port":{{origin}},"leaseSeconds":3600}""")));
    }

    private static int PortOf(string address) => new Uri(address).Port;
}

/// <summary>What a gateway is told to do.</summary>
/// <param name="Specs">By kind, namespace and name.</param>
internal sealed record EdgeResources(IReadOnlyDictionary<string, string> Specs, bool AccessLog)
{
    /// <summary>All to one service.</summary>
    public static EdgeResources Bare { get; } = new(
        new Dictionary<string, string>
        {
            ["route/default/all"] =
                """{"spec":{"match":{"hosts":["*"],"path":"/**"},"service":"origin"},"version":2}""",
        },
        AccessLog: false);
}

using System.Net.Http.Json;
using System.Net.Sockets;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Load.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Load.Peers;

/// <summary>The real executable as <c>groundwork run</c>, on a directory of its own, with an access key.</summary>
internal sealed class GroundworkNode : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo directory;

    private GroundworkNode(
        ServerProcess process, int port, string accessKey, IReadOnlyDictionary<string, string> listeners,
        DirectoryInfo directory)
    {
        Listeners = listeners;
        Process = process;
        Port = port;
        AccessKey = accessKey;
        this.directory = directory;
    }

    public ServerProcess Process { get; }

    /// <summary>Of the API.</summary>
    public int Port { get; }

    /// <summary>Every listener with its address.</summary>
    public IReadOnlyDictionary<string, string> Listeners { get; }

    /// <summary>Holds the role administrator, so that authorisation is the short way and the same for all.</summary>
    public string AccessKey { get; }

    /// <param name="database">A connection string; null: the embedded engine.</param>
    /// <param name="dns">Answers DNS besides, on the listener <c>dns</c>.</param>
    public static async Task<GroundworkNode> StartAsync(string? database = null, bool dns = false)
    {
        var owned = Directory.CreateTempSubdirectory("groundwork-load-node-");
        var data = Path.Combine(owned.FullName, "data");
        var process = ServerProcess.Start(
            Path.Combine(AppContext.BaseDirectory, "groundwork"),
            [
                "run", "--data", data, "--set", "listeners.api.address=127.0.0.1:0",
                "--set", "listeners.gateway.address=127.0.0.1:0",
                "--set", dns ? "listeners.dns.address=127.0.0.1:0" : "listeners.dns=off",
                "--set", "listeners.httpdns=off", "--set", "listeners.grpc=off",
                .. database is null ? Array.Empty<string>() : ["--set", $"database={database}"],
            ],
            quiet: true);
        var node = await ReadNodeFileAsync(data, process);
        return new GroundworkNode(
            process, new Uri(node.ApiAddress!).Port, await CreateKeyAsync(node.ApiSocket!), node.Listeners, owned);
    }

    public Task<Http1Connection> ConnectAsync() => Http1Connection.OpenAsync(Port);

    public byte[] Request(string method, string path, string? body = null) =>
        Http1Connection.Request(method, $"/groundwork/v1/{path}", AccessKey, body);

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        directory.Delete(recursive: true);
    }

    /// <summary>What a node says of itself, once it has started.</summary>
    internal static async Task<NodeFile> ReadNodeFileAsync(string data, ServerProcess process)
    {
        using var patience = new CancellationTokenSource(StartPatience, TimeProvider.System);
        while (true)
        {
            if (NodeFile.Read(data) is { ApiAddress: not null, ApiSocket: not null } node) return node;
            if (process.HasExited) throw new InvalidOperationException("The node ended while it was starting.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
        }
    }

    private static async Task<string> CreateKeyAsync(string socketPath)
    {
        using var local = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        using var answer = await local.PostAsJsonAsync(
            new Uri("http://localhost/groundwork/v1/access-keys"),
            new AccessKeyRequest("load", [BuiltInRoles.Administrator]));
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<AccessKeyAnswer>())?.Secret
            ?? throw new InvalidDataException("The answer holds no key.");
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Groundwork.Tests.Support;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring.Bus;

/// <summary>A real RabbitMQ on free ports of loopback and a directory of its own, with its own port mapper.</summary>
internal sealed class RabbitServer : IAsyncDisposable
{
    private const string Script = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    private readonly TemporaryDirectory directory = new();
    private readonly int mapper = FreePort.Next();
    private readonly int distribution = FreePort.Next();
    private Process? process;

    public int Port { get; } = FreePort.Next();

    public static async Task<RabbitServer> StartAsync()
    {
        Tools.Require("rabbitmq-server", "rabbitmq-server");
        var server = new RabbitServer();
        await server.RunAsync();
        return server;
    }

    /// <summary>Starts it, also again on what it has kept.</summary>
    public async Task RunAsync()
    {
        // Debian's own start changes to a user of the system; this is what it starts.
        var start = new ProcessStartInfo(Script)
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
            WorkingDirectory = directory.Path,
        };
        foreach (var (name, value) in new (string, string)[]
        {
            ("HOME", directory.Path), ("ERL_EPMD_ADDRESS", "127.0.0.1"), ("ERL_EPMD_PORT", Text(mapper)),
            ("RABBITMQ_NODENAME", $"test{Text(Port)}@localhost"), ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1"),
            ("RABBITMQ_NODE_PORT", Text(Port)), ("RABBITMQ_DIST_PORT", Text(distribution)),
            ("RABBITMQ_MNESIA_BASE", directory.Combine("data")), ("RABBITMQ_LOG_BASE", directory.Combine("log")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", directory.Combine("plugins")),
            ("RABBITMQ_CONFIG_FILE", directory.Combine("none")), ("RABBITMQ_CONF_ENV_FILE", "/dev/null"),
        })
            start.Environment[name] = value;
        process = Process.Start(start)!; // Not null: it does not go through a shell.
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await Eventually.TrueAsync(ListensAsync, "RabbitMQ listens", TimeSpan.FromSeconds(90));
    }

    public async Task StopAsync()
    {
        if (process is null) return;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    public Task<IConnection> ConnectAsync() => new ConnectionFactory
    {
        HostName = "127.0.0.1", Port = Port, AutomaticRecoveryEnabled = false,
    }.CreateConnectionAsync();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        // The port mapper, which is this server's own, goes on without it.
        var end = new ProcessStartInfo("epmd", ["-port", Text(mapper), "-kill"])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using (var ending = Process.Start(end)!) await ending.WaitForExitAsync(); // Not null, as above.
        directory.Dispose();
    }

    private async Task<bool> ListensAsync()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync("127.0.0.1", Port);
            await using var connection = await ConnectAsync();
            return connection.IsOpen;
        }
        catch (Exception starting) when (starting is SocketException or BrokerUnreachableException)
        {
            return false;
        }
    }

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}

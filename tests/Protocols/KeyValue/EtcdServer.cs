using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.KeyValue;

/// <summary>A real etcd of one member, on a directory of its own and free ports of loopback.</summary>
internal sealed class EtcdServer : IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly Process process;

    private EtcdServer(string program)
    {
        Port = FreePort.Next();
        var peer = $"http://127.0.0.1:{FreePort.Next().ToString(CultureInfo.InvariantCulture)}";
        var client = $"http://127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}";
        var start = new ProcessStartInfo(
            program,
            [
                "--data-dir", directory.Path, "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", $"default={peer}", "--log-level", "fatal",
            ]) { UseShellExecute = false };
        process = Process.Start(start)!; // Not null: it does not go through a shell.
    }

    public int Port { get; }

    public static async Task<EtcdServer> StartAsync()
    {
        var server = new EtcdServer(Tools.Require("etcd", "etcd-server"));
        await Eventually.TrueAsync(
            async () =>
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await socket.ConnectAsync("127.0.0.1", server.Port);
                    return true;
                }
                catch (SocketException)
                {
                    return false; // Not yet.
                }
            },
            "etcd listens");
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        directory.Dispose();
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Groundwork.Tests.Support;

/// <summary>The real svnserve on a free port of loopback, with one user.</summary>
public sealed class SvnServer : IAsyncDisposable
{
    private readonly Process process;

    private SvnServer(SvnRepository repository, string user, string password)
    {
        File.WriteAllText(
            Path.Combine(repository.Folder, "conf", "svnserve.conf"),
            "[general]\nanon-access = none\nauth-access = read\npassword-db = passwd\n");
        File.WriteAllText(Path.Combine(repository.Folder, "conf", "passwd"), $"[users]\n{user} = {password}\n");
        Port = FreePort.Next();
        process = Process.Start(new ProcessStartInfo(
            Tools.Require("svnserve", "subversion"),
            [
                "--daemon", "--foreground", "--root", repository.Folder, "--listen-host", "127.0.0.1",
                "--listen-port", Port.ToString(CultureInfo.InvariantCulture),
            ]) { UseShellExecute = false })!; // Not null: it does not go through a shell.
    }

    public int Port { get; }

    public static async Task<SvnServer> StartAsync(SvnRepository repository, string user, string password)
    {
        var server = new SvnServer(repository, user, password);
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
            "svnserve listens");
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>A real proxy with a listener of its own for each of many instances.</summary>
internal sealed class Peer : IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly Process process;

    private Peer(string program, string[] arguments, string fileName, Func<string, string> configuration)
    {
        var file = directory.Write(fileName, configuration(directory.Path));
        process = Process.Start(new ProcessStartInfo(program, [.. arguments, file])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = directory.Path,
        })!; // Not null: it does not go through a shell.
        _ = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>nginx as its manual sets up a reverse proxy: HTTP/1.1, kept connections, WebSockets.</summary>
    public static async Task<Peer> NginxAsync(string program, IReadOnlyList<(int Port, IPEndPoint Instance)> pairs)
    {
        var peer = new Peer(program, ["-c"], "nginx.conf", directory => Nginx(directory, pairs));
        await peer.ListensAsync(pairs[^1].Port);
        return peer;
    }

    /// <summary>HAProxy with its defaults.</summary>
    public static async Task<Peer> HaproxyAsync(string program, IReadOnlyList<(int Port, IPEndPoint Instance)> pairs)
    {
        var peer = new Peer(program, ["-db", "-f"], "haproxy.cfg", _ => Haproxy(pairs));
        await peer.ListensAsync(pairs[^1].Port);
        return peer;
    }

    /// <summary>What the program says of its version.</summary>
    public static async Task<string> VersionAsync(string program)
    {
        using var asked = Process.Start(new ProcessStartInfo(program, ["-v"])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!; // Not null: it does not go through a shell.
        var said = await asked.StandardOutput.ReadToEndAsync() + await asked.StandardError.ReadToEndAsync();
        await asked.WaitForExitAsync();
        return said;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        directory.Dispose();
    }

    private async Task ListensAsync(int port) => await Eventually.TrueAsync(
        async () =>
        {
            Assert.False(process.HasExited, $"{process.StartInfo.FileName} ended at once");
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        },
        "the proxy listens");

    private static string Nginx(string directory, IReadOnlyList<(int Port, IPEndPoint Instance)> pairs)
    {
        var text = new StringBuilder();
        text.Append($$"""
            daemon off;
            master_process off;
            pid {{directory}}/nginx.pid;
            error_log {{directory}}/error.log crit;
            worker_rlimit_nofile 8192;
            events { worker_connections 4096; }
            http {
              access_log off;
              client_body_temp_path {{directory}}/body;
              proxy_temp_path {{directory}}/proxy;
              fastcgi_temp_path {{directory}}/fastcgi;
              uwsgi_temp_path {{directory}}/uwsgi;
              scgi_temp_path {{directory}}/scgi;
              map $http_upgrade $upgrades { default upgrade; '' ''; }
              proxy_http_version 1.1;
              proxy_request_buffering off;
              proxy_set_header Upgrade $http_upgrade;
              proxy_set_header Connection $upgrades;

            """);
        for (var index = 0; index < pairs.Count; index++)
            text.Append($$"""
                upstream i{{index}} { server {{pairs[index].Instance}}; keepalive 4; }
                server { listen 127.0.0.1:{{pairs[index].Port}}; location / { proxy_pass http://i{{index}}; } }

                """);
        return text.Append("}\n").ToString();
    }

    private static string Haproxy(IReadOnlyList<(int Port, IPEndPoint Instance)> pairs)
    {
        var text = new StringBuilder("""
            global
              maxconn 2000
            defaults
              mode http
              timeout connect 5s
              timeout client 20s
              timeout server 20s

            """);
        for (var index = 0; index < pairs.Count; index++)
            text.Append($"""
                listen l{index}
                  bind 127.0.0.1:{pairs[index].Port}
                  server s {pairs[index].Instance}

                """);
        return text.ToString();
    }
}

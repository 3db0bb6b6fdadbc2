using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Groundwork.Tests.Support;

/// <summary>
/// A real nginx: one process, in the foreground, with everything that it writes in a directory of its own.
/// </summary>
public sealed class NginxServer : IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly Process process;

    private NginxServer(string program, Func<string, string> http)
    {
        var folder = directory.Path;
        var file = directory.Write("nginx.conf", $$"""
            daemon off;
            master_process off;
            worker_processes 1;
            pid {{folder}}/nginx.pid;
            error_log {{folder}}/error.log warn;
            worker_rlimit_nofile 8192;
            events { worker_connections 4096; }
            http {
              access_log off;
              client_body_temp_path {{folder}}/body;
              proxy_temp_path {{folder}}/proxy;
              fastcgi_temp_path {{folder}}/fastcgi;
              uwsgi_temp_path {{folder}}/uwsgi;
              scgi_temp_path {{folder}}/scgi;
            {{http(folder)}}
            }
            """);
        process = Process.Start(new ProcessStartInfo(program, ["-c", file])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
        })!; // Not null: it does not go through a shell.
        Said = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.ReadToEndAsync();
    }

    private Task<string> Said { get; }

    /// <summary>What it has logged of errors and warnings.</summary>
    public string Log => File.ReadAllText(directory.Combine("error.log"));

    /// <summary>Starts it, or ends the test where there is none.</summary>
    /// <param name="http">What stands in its <c>http</c> block, given a folder to write to.</param>
    /// <param name="port">One of loopback that it listens at then.</param>
    public static async Task<NginxServer> StartAsync(Func<string, string> http, int port)
    {
        var server = new NginxServer(Tools.Require("nginx", "nginx-light"), http);
        try
        {
            await Eventually.TrueAsync(
                async () => server.process.HasExited
                    ? throw new InvalidOperationException(await server.Said)
                    : await ListensAsync(port),
                "nginx listens");
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        directory.Dispose();
    }

    private static async Task<bool> ListensAsync(int port)
    {
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
    }
}

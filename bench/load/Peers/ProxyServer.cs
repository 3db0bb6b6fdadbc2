using System.Globalization;

namespace Groundwork.Load.Peers;

/// <summary>A proxy from the PATH in front of one server: connections to it are kept, nothing is logged.</summary>
internal sealed class ProxyServer : IAsyncDisposable
{
    /// <summary>Connections that a proxy keeps to the server: more than any run has at once.</summary>
    private const int Kept = 256;

    private readonly DirectoryInfo directory;

    private ProxyServer(ServerProcess process, int port, DirectoryInfo directory)
    {
        Process = process;
        Port = port;
        this.directory = directory;
    }

    public ServerProcess Process { get; }

    public int Port { get; }

    /// <summary>True when the program can be started.</summary>
    public static bool Has(string program) => Find(program) is not null;

    public static Task<ProxyServer> NginxAsync(int origin) => StartAsync("nginx", (directory, port) =>
    {
        var file = Write(directory, "nginx.conf", string.Create(CultureInfo.InvariantCulture, $$"""
            daemon off;
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            worker_processes auto;
            pid {{directory}}/nginx.pid;
            error_log stderr error;
            events { worker_connections 20000; }
            http {
              access_log off;
              keepalive_requests 1000000000;
              client_body_temp_path {{directory}}/body;
              proxy_temp_path {{directory}}/proxy;
              fastcgi_temp_path {{directory}}/fastcgi;
              uwsgi_temp_path {{directory}}/uwsgi;
              scgi_temp_path {{directory}}/scgi;
              upstream origin {
                server 127.0.0.1:{{origin}};
                keepalive {{Kept}};
                keepalive_requests 1000000000;
              }
              server {
                listen 127.0.0.1:{{port}};
                location / {
                  proxy_pass http://origin;
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_set_header X-Forwarded-For $remote_addr;
                  proxy_set_header X-Forwarded-Proto $scheme;
                  proxy_set_header X-Forwarded-Host $host;
                }
              }
            }
            """));
        return ["-c", file, "-p", directory, "-e", "stderr"];
    });

    public static Task<ProxyServer> HaproxyAsync(int origin) => StartAsync("haproxy", (directory, port) =>
    [
        "-f",
        Write(directory, "haproxy.cfg", string.Create(CultureInfo.InvariantCulture, $"""
            global
              maxconn 8000
            defaults
              mode http
              timeout connect 5s
              timeout client 30s
              timeout server 30s
              option forwardfor
              http-reuse always
            frontend edge
              bind 127.0.0.1:{port}
              default_backend origin
            backend origin
              server one 127.0.0.1:{origin}

            """)),
    ]);

    public static Task<ProxyServer> CaddyAsync(int origin) => StartAsync("caddy", (directory, port) =>
    [
        "run", "--adapter", "caddyfile", "--config",
        Write(directory, "Caddyfile", string.Create(CultureInfo.InvariantCulture, $$"""
            {
              admin off
              auto_https off
              storage file_system {{directory}}
              log {
                level ERROR
              }
            }
            http://127.0.0.1:{{port}} {
              reverse_proxy 127.0.0.1:{{origin}} {
                transport http {
                  keepalive_idle_conns_per_host {{Kept}}
                }
              }
            }

            """)),
    ]);

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        directory.Delete(recursive: true);
    }

    private static async Task<ProxyServer> StartAsync(string program, Func<string, int, string[]> arguments)
    {
        var owned = Directory.CreateTempSubdirectory("groundwork-load-proxy-");
        var port = LoopbackPort.Free();
        var path = Find(program) ?? throw new InvalidOperationException($"{program} is not installed.");
        var process = ServerProcess.Start(path, arguments(owned.FullName, port));
        await LoopbackPort.ConnectableAsync(port);
        return new ProxyServer(process, port, owned);
    }

    private static string Write(string directory, string name, string text)
    {
        var path = Path.Combine(directory, name);
        File.WriteAllText(path, text);
        return path;
    }

    // Debian keeps servers off the PATH of who is not root.
    private static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Append("/usr/sbin")
        .Select(directory => Path.Combine(directory, program))
        .FirstOrDefault(File.Exists);
}

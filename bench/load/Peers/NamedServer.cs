using System.Globalization;

namespace Groundwork.Load.Peers;

/// <summary>BIND from the PATH, with one zone and one thread of work, on a free port of loopback.</summary>
internal sealed class NamedServer : IAsyncDisposable
{
    private readonly DirectoryInfo directory;

    private NamedServer(ServerProcess process, int port, DirectoryInfo directory)
    {
        Process = process;
        Port = port;
        this.directory = directory;
    }

    public ServerProcess Process { get; }

    public int Port { get; }

    /// <param name="records">Lines of the zone, after its SOA and NS.</param>
    public static async Task<NamedServer> StartAsync(string zone, string records)
    {
        var owned = Directory.CreateTempSubdirectory("groundwork-load-named-");
        var port = LoopbackPort.Free();
        await File.WriteAllTextAsync(
            Path.Combine(owned.FullName, "zone"),
            $"$TTL 5\n@ SOA ns.{zone}. admin.{zone}. 1 60 60 60 5\n@ NS ns.{zone}.\nns A 127.0.0.1\n{records}\n");
        var configuration = Path.Combine(owned.FullName, "named.conf");
        await File.WriteAllTextAsync(configuration, string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            options {
                directory "{{owned.FullName}}"; pid-file none; lock-file none;
                session-keyfile "{{owned.FullName}}/session.key";
                listen-on port {{port}} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; minimal-responses yes;
                allow-transfer { none; };
            };
            controls { };
            zone "{{zone}}" { type primary; file "{{owned.FullName}}/zone"; };
            """));
        var process = ServerProcess.Start("/usr/sbin/named", ["-f", "-n", "1", "-c", configuration], quiet: true);
        await LoopbackPort.ConnectableAsync(port);
        return new NamedServer(process, port, owned);
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        directory.Delete(recursive: true);
    }
}

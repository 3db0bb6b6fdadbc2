using System.Diagnostics;
using System.Globalization;
using System.Net;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>A real BIND on a free port of loopback, that serves one zone from its text.</summary>
internal sealed class NamedServer : IAsyncDisposable
{
    private readonly TemporaryDirectory files;
    private readonly Process running;

    private NamedServer(TemporaryDirectory files, Process running, IPEndPoint address)
    {
        this.files = files;
        this.running = running;
        Address = address;
    }

    public IPEndPoint Address { get; }

    public static async Task<NamedServer> StartAsync(string zone, string text)
    {
        var program = Tools.Require("named", "bind9");
        var directory = new TemporaryDirectory();
        var port = FreePort.Next();
        directory.Write("zone", text);
        var configuration = directory.Write(
            "named.conf",
            $$"""
            options {
                directory "{{directory.Path}}"; pid-file none; lock-file none;
                session-keyfile "{{directory.Path}}/session.key";
                listen-on port {{port}} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; minimal-responses no;
                allow-transfer { none; };
            };
            controls { };
            zone "{{zone}}" { type primary; file "{{directory.Path}}/zone"; };
            """);
        var process = Process.Start(new ProcessStartInfo(program, ["-g", "-n", "1", "-c", configuration])
        {
            RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false,
        }) ?? throw new InvalidOperationException("named did not start.");
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        var server = new NamedServer(directory, process, new IPEndPoint(IPAddress.Loopback, port));
        await Eventually.TrueAsync(
            async () => (await server.DigAsync(zone, "SOA")).Contains("status: NOERROR", StringComparison.Ordinal),
            "named answers for its zone");
        return server;
    }

    public Task<string> DigAsync(params string[] question) => TestNames.RunAsync(
        Tools.Require("dig", "bind9-dnsutils"),
        [
            $"@{Address.Address}", "-p", Address.Port.ToString(CultureInfo.InvariantCulture), "+tries=1", "+time=5",
            "+nocookie", .. question,
        ]);

    public async ValueTask DisposeAsync()
    {
        running.Kill();
        await running.WaitForExitAsync();
        running.Dispose();
        files.Dispose();
    }
}

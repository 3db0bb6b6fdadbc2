using System.Diagnostics;
using System.Globalization;
using System.Net;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>
/// A real BIND on a free port of loopback, that serves one zone from its text, or keeps what another says.
/// </summary>
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
        var directory = new TemporaryDirectory();
        var file = directory.Write("zone", text);
        return await StartAsync(
            directory, zone, "recursion no; minimal-responses no; allow-transfer { none; };",
            $$"""zone "{{zone}}" { type primary; file "{{file}}"; };""");
    }

    /// <summary>
    /// A resolver that asks one other, and keeps what it hears for longer than it was told to, as those of networks do.
    /// </summary>
    public static async Task<NamedServer> KeepingAsync(IPEndPoint other, string name)
    {
        var asked = $$"""{ {{other.Address}} port {{other.Port.ToString(CultureInfo.InvariantCulture)}}; }""";
        return await StartAsync(
            new TemporaryDirectory(), name,
            $"recursion yes; dnssec-validation no; min-cache-ttl {KeptSeconds}; forward only; forwarders {asked};", "");
    }

    /// <summary>The longest that BIND keeps longer than said.</summary>
    public const int KeptSeconds = 90;

    /// <summary>The addresses that it says, as whoever resolves by it connects to.</summary>
    public async Task<IPAddress[]> ResolveAsync(string name)
    {
        var text = await DigAsync("+short", name, "A");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse)];
    }

    public Task<string> DigAsync(params string[] question) => TestNames.RunAsync(
        Tools.Require("dig", "bind9-dnsutils"),
        [
            $"@{Address.Address}", "-p", Address.Port.ToString(CultureInfo.InvariantCulture), "+tries=1", "+time=5",
            "+nocookie", .. question,
        ]);

    private static async Task<NamedServer> StartAsync(
        TemporaryDirectory directory, string known, string options, string zone)
    {
        var program = Tools.Require("named", "bind9");
        var port = FreePort.Next();
        var configuration = directory.Write(
            "named.conf",
            $$"""
            options {
                directory "{{directory.Path}}"; pid-file none; lock-file none;
                session-keyfile "{{directory.Path}}/session.key";
                listen-on port {{port}} { 127.0.0.1; }; listen-on-v6 { none; }; {{options}}
            };
            controls { };
            {{zone}}
            """);
        var process = Process.Start(new ProcessStartInfo(program, ["-g", "-n", "1", "-c", configuration])
        {
            RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false,
        }) ?? throw new InvalidOperationException("named did not start.");
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        var server = new NamedServer(directory, process, new IPEndPoint(IPAddress.Loopback, port));
        await Eventually.TrueAsync(
            async () => (await server.DigAsync(known, "SOA")).Contains("status: NOERROR", StringComparison.Ordinal),
            "named answers for its zone");
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        running.Kill();
        await running.WaitForExitAsync();
        running.Dispose();
        files.Dispose();
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// The real process gives way to a new one while clients call, and takes sockets of a service manager.
/// </summary>
public sealed class RestartTests : IDisposable
{
    private const int GiveWay = 12; // SIGUSR2
    private const int Clients = 8;

    private readonly TemporaryDirectory directory = new();

    [Fact]
    public async Task Restarts_under_load_fail_no_request()
    {
        await using var service = new FixedAnswer(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        await using var node = await GroundworkProcess.StartAsync(
            directory.Combine("data"),
            ["run", .. GroundworkProcess.AnyPorts, "--drain-seconds", "20"]);
        var (exit, output, error) = await node.VerbAsync("", "apply", "-f", directory.Write("route.yaml", $$"""
            kind: upstream
            name: service
            spec: { addresses: [{ address: "127.0.0.1:{{service.Port}}" }], allowLoopback: true }
            ---
            kind: route
            name: all
            spec:
              match: { hosts: ["*"], path: /** }
              upstream: service
              timeouts: { connectMs: 20000, responseHeadMs: 20000 }
            """));
        Assert.True(exit == 0, output + error);
        var gateway = node.Address("gateway");
        var address = new IPEndPoint(IPAddress.Parse(gateway.Host), gateway.Port);
        await using var load = new SteadyLoad(address, Clients);
        await load.AnswersAsync(100);

        for (var round = 0; round < LongRun.Count(2, 20); round++)
        {
            var (before, answered) = (node.Node.StartedAt, load.Answers);
            node.Signal(GiveWay);
            await Eventually.TrueAsync(
                () => node.HasExited
                    ? throw new InvalidOperationException(node.Output)
                    : NodeFile.Read(node.DataDirectory) is { } file && file.StartedAt > before
                        && load.Answers > answered + 50,
                "another one runs in its place and answers", TimeSpan.FromMinutes(1));
            Assert.Equal(node.Id, node.Node.Pid);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{load.Answers} answers, {load.Failures.Count} failures");
        Assert.Empty(load.Failures);
        // The twin: the same load sees a stop without a successor.
        node.Signal(Signals.Terminate);
        Assert.Equal(0, await node.ExitAsync());
        await Eventually.TrueAsync(() => !load.Failures.IsEmpty, "the load sees that nobody is there");
    }

    [Fact]
    public async Task A_socket_of_the_service_manager_is_taken_over_with_who_waits_in_it()
    {
        var activate = Tools.Require("systemd-socket-activate", "systemd");
        var port = FreePort.Next();
        var data = directory.Combine("activated");
        var start = new ProcessStartInfo(
            activate,
            [
                "--listen", $"127.0.0.1:{port}", "--fdname", "gateway", "-E", "HOME", "-E", "PATH", "-E", "DOTNET_ROOT",
                GroundworkProcess.Executable, "run", "--data", data,
                "--set", "listeners.api.address=127.0.0.1:0", "--set", $"listeners.gateway.address=127.0.0.1:{port}",
                "--set", "listeners.dns=off", "--set", "listeners.httpdns=off", "--set", "listeners.grpc=off",
            ])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(
            name => name.StartsWith("GROUNDWORK_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        using var process = Process.Start(start)!; // Null only for shell execution.
        var said = process.StandardError.ReadToEndAsync();
        var printed = process.StandardOutput.ReadToEndAsync();
        try
        {
            // The first to connect has it started, and waits.
            var answer = "";
            await Eventually.TrueAsync(
                async () => process.HasExited
                    ? throw new InvalidOperationException(await said + await printed)
                    : (answer = await AskOnceAsync(port)).Length > 0,
                "the node answers who waited", TimeSpan.FromMinutes(2));

            Assert.Contains("host_unknown", answer, StringComparison.Ordinal);
            Assert.Equal(process.Id, NodeFile.Read(data)?.Pid);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    public void Dispose() => directory.Dispose();

    private static async Task<string> AskOnceAsync(int port)
    {
        try
        {
            using var client = new TcpClient { NoDelay = true };
            await client.ConnectAsync(IPAddress.Loopback, port);
            await using var stream = client.GetStream();
            await stream.WriteAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8.ToArray());
            using var reader = new StreamReader(stream, Encoding.Latin1);
            return await reader.ReadToEndAsync();
        }
        catch (SocketException)
        {
            return ""; // The service manager does not listen yet.
        }
    }
}

using System.Net;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>Where the running process really listens, as the kernel says.</summary>
public sealed class SocketTests
{
    // The addresses are the defaults; only their ports, which others may have taken, are not.
    [Fact]
    public async Task With_run_nothing_listens_off_loopback()
    {
        await using var node = await StartAsync();
        Assert.NotEmpty(OpenSockets.Listening(node.Process.Id));
        Assert.Empty(OffLoopback(node.Process.Id));
    }

    [Fact]
    public async Task With_up_which_takes_every_default_nothing_listens_off_loopback()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("up.yaml", "services:\n  idle:\n    command: [sleep, \"600\"]\n");
        await using var up = await GroundworkProcess.StartAsync(directory.Combine("data"), "up", directory.Path);
        Assert.True(OpenSockets.Listening(up.Id).Count >= 2, "the API and the gateway listen");
        Assert.Empty(OffLoopback(up.Id));
    }

    [Fact]
    public async Task With_a_public_address_only_the_gateway_listens_off_loopback()
    {
        var port = FreePort.Next();
        await using var node = await StartAsync(
            "--set", $"listeners.gateway.address=0.0.0.0:{port}", "--set", "listeners.gateway.plain=true");
        Assert.Equal([new IPEndPoint(IPAddress.Any, port)], OffLoopback(node.Process.Id));
    }

    private static IEnumerable<IPEndPoint> OffLoopback(int process) =>
        OpenSockets.Listening(process).Where(socket => !IPAddress.IsLoopback(socket.Address));

    private static async Task<Running> StartAsync(params string[] gateway)
    {
        var directory = new TemporaryDirectory();
        if (gateway.Length == 0) gateway = ["--set", $"listeners.gateway.address=127.0.0.1:{FreePort.Next()}"];
        var process = await GroundworkProcess.StartAsync(
            directory.Combine("data"), ["run", "--set", "listeners.api.address=127.0.0.1:0",
                "--set", "listeners.dns.address=127.0.0.1:0",
            "--set", "listeners.httpdns.address=127.0.0.1:0", "--set", "listeners.grpc=off", .. gateway]);
        return new Running(process, directory);
    }

    private sealed record Running(GroundworkProcess Process, TemporaryDirectory Directory) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Process.DisposeAsync();
            Directory.Dispose();
        }
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// The edge profile as an operator runs it: <c>run --modules gateway --follow …</c> beside a node, with an access key
/// that may only do what an edge box needs.
/// </summary>
public sealed class EdgeProcessTests : IDisposable
{
    private const string Resources = """
        kind: role
        name: edge
        spec:
          grants:
            - { verbs: [read], kinds: [route, upstream] }
            - { verbs: [discover], kinds: [instance] }
        ---
        kind: route
        name: all
        spec: { hosts: ["*"], path: /**, service: greeter }
        """;

    private readonly TemporaryDirectory directory = new();
    private readonly HttpClient outside = new();

    [Fact]
    public async Task Edge_serves_while_the_followed_node_is_away_and_starts_from_its_copy()
    {
        await using var greeter = new FixedAnswer(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        await using var core = await GroundworkProcess.StartAsync(
            directory.Combine("core"), ["run", .. GroundworkProcess.AnyPorts]);
        await PrepareAsync(core, greeter.Port);
        var followed = core.Node.ApiAddress ?? throw new InvalidOperationException("The node has no API address.");
        await using (var edge = await StartEdgeAsync(followed))
        {
            await ServesAsync(edge);
            Assert.Equal("ok", (await HealthAsync(edge)).Status);
            AssertProfile(core, edge);

            core.Signal(Signals.Kill);
            await core.ExitAsync();
            for (var number = 0; number < 20; number++) Assert.Equal("hello", await AskAsync(edge));
            // The copy of instances is written within seconds of a change; a kill may not come before.
            await Eventually.TrueAsync(
                () => File.Exists(Path.Combine(edge.DataDirectory, "followed-registry.json")), "the copy is there");
            edge.Signal(Signals.Kill);
            await edge.ExitAsync();
        }

        await using var alone = await StartEdgeAsync(followed);
        Assert.Equal("hello", await AskAsync(alone));
        Assert.True(alone.Node.StoreId.Length > 0, "it says whose store it shows");
        await Eventually.TrueAsync(
            async () => (await HealthAsync(alone)) is { Status: "degraded", Reasons: [var first, ..] }
                && first.StartsWith("no news for", StringComparison.Ordinal),
            "it says how old its answers are");
    }

    public void Dispose()
    {
        outside.Dispose();
        directory.Dispose();
    }

    private static async Task<HealthDocument> HealthAsync(GroundworkProcess edge)
    {
        using var local = edge.Local();
        return await local.GetFromJsonAsync("/health/ready", WireJson.Strict.HealthDocument)
            ?? throw new InvalidOperationException("The answer is null.");
    }

    /// <summary>
    /// The runtime makes one socket thread per core where completions run inline, and else one for dozens.
    /// </summary>
    private static void AssertProfile(GroundworkProcess core, GroundworkProcess edge)
    {
        Assert.DoesNotContain("e_sqlite3", File.ReadAllText($"/proc/{edge.Id}/maps"), StringComparison.Ordinal);
        Assert.Contains("e_sqlite3", File.ReadAllText($"/proc/{core.Id}/maps"), StringComparison.Ordinal);
        if (Environment.ProcessorCount is 1 or > 16) return; // Then the numbers do not tell.
        Assert.Equal(1, SocketThreads(core));
        Assert.Equal(Environment.ProcessorCount, SocketThreads(edge));
    }

    private static int SocketThreads(GroundworkProcess process) =>
        Directory.EnumerateDirectories($"/proc/{process.Id}/task")
            .Count(task => File.ReadAllText(Path.Combine(task, "comm")).Trim() == ".NET Sockets");

    private async Task PrepareAsync(GroundworkProcess core, int port)
    {
        await RunAsync(core, "apply", "-f", directory.Write("resources.yaml", Resources));
        var secret = await RunAsync(core, "key", "create", "edge", "--role", "edge");
        File.SetUnixFileMode(
            directory.Write("edge.key", secret.Trim()), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var local = core.Local();
        using var registered = await local.PutAsJsonAsync(
            "registry/instances",
            new InstanceDocument("greeter", "127.0.0.1", port) { LeaseSeconds = 600 },
            WireJson.Strict.InstanceDocument);
        Assert.Equal(HttpStatusCode.OK, registered.StatusCode);
    }

    private static async Task<string> RunAsync(GroundworkProcess node, params string[] verb)
    {
        var (exit, output, error) = await node.VerbAsync("", verb);
        Assert.True(exit == 0, output + error);
        return output;
    }

    private Task<GroundworkProcess> StartEdgeAsync(string followed) => GroundworkProcess.StartAsync(
        directory.Combine("edge"),
        [
            "run", "--modules", "gateway", "--follow", followed, "--follow-key-file", directory.Combine("edge.key"),
            "--set", "listeners.api.address=127.0.0.1:0", "--set", "listeners.gateway.address=127.0.0.1:0",
        ]);

    private Task ServesAsync(GroundworkProcess edge) => Eventually.PassesAsync(
        async () => Assert.Equal("hello", await AskAsync(edge)));

    private Task<string> AskAsync(GroundworkProcess edge) => outside.GetStringAsync(edge.Node.Listeners["gateway"]);
}

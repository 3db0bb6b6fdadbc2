using System.Collections.Concurrent;
using System.Diagnostics;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>Names over the real executable: dig asks while the process changes, dies, and is followed.</summary>
public sealed class DnsProcessTests : IDisposable
{
    private const int GiveWay = 12; // SIGUSR2

    private const string Zone = """
        kind: dns-zone
        name: corp.example
        spec: { records: [{ name: api, type: A, values: [10.0.0.1] }] }
        ---
        kind: httpdns-account
        name: "100000"
        spec: { names: ["*"], secret: 00112233445566778899aabbccddeeff, allowUnsigned: true }
        ---
        kind: role
        name: edge
        spec:
          grants:
            - { verbs: [read], kinds: [dns-zone, dns-rule] }
            - { verbs: [read, read-secret], kinds: [httpdns-account] }
            - { verbs: [discover], kinds: [instance] }
        """;

    private readonly TemporaryDirectory directory = new();

    [Fact]
    public async Task No_question_is_lost_while_the_process_gives_way_to_a_new_one()
    {
        await using var node = await StartAsync("node");
        var port = node.Address("dns").Port;
        using var end = new CancellationTokenSource();
        var answers = new ConcurrentQueue<string>();
        var asked = AskUntilAsync(port, answers, end.Token);
        for (var round = 0; round < LongRun.Count(2, 20); round++)
        {
            var (before, answered) = (node.Node.StartedAt, answers.Count);
            node.Signal(GiveWay);
            await Eventually.TrueAsync(
                () => NodeIsNewer(node, before) && answers.Count > answered + 20,
                "another one runs in its place and answers", TimeSpan.FromMinutes(1));
            Assert.Equal(port, node.Address("dns").Port);
        }
        await end.CancelAsync();
        await asked;
        TestContext.Current.TestOutputHelper?.WriteLine($"{answers.Count} answers");
        Assert.All(answers, answer => Assert.Equal("10.0.0.1", answer));
    }

    [Fact]
    public async Task Who_follows_answers_the_same_and_goes_on_alone()
    {
        await using var node = await StartAsync("core");
        var (exit, secret, error) = await node.VerbAsync("", "key", "create", "edge", "--role", "edge");
        Assert.True(exit == 0, error);
        File.SetUnixFileMode(
            directory.Write("edge.key", secret.Trim()), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var follower = await GroundworkProcess.StartAsync(
            directory.Combine("edge"),
            [
                "run", "--modules", "dns", "--follow", node.Node.ApiAddress!, // The API is open.
                "--follow-key-file", directory.Combine("edge.key"),
                "--set", "listeners.api.address=127.0.0.1:0", "--set", "listeners.dns.address=127.0.0.1:0",
                "--set", "listeners.httpdns.address=127.0.0.1:0",
            ]);
        var port = follower.Address("dns").Port;
        await Eventually.TrueAsync(async () => await AskAsync(port) == "10.0.0.1", "the follower answers");
        using var client = new HttpClient();
        var account = new Uri(follower.Address("httpdns"), "/100000/d?host=api.corp.example");
        await Eventually.PassesAsync(async () => Assert.Contains(
            "10.0.0.1", await client.GetStringAsync(account), StringComparison.Ordinal));
        node.Signal(Signals.Kill);
        await node.ExitAsync();
        Assert.Equal("10.0.0.1", await AskAsync(port));
        Assert.Contains("10.0.0.1", await client.GetStringAsync(account), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_zone_outlives_a_kill()
    {
        await using (var node = await StartAsync("killed"))
        {
            node.Signal(Signals.Kill);
            await node.ExitAsync();
        }
        await using var again = await GroundworkProcess.StartAsync(
            directory.Combine("killed"), ["run", .. GroundworkProcess.AnyPorts]);
        Assert.Equal("10.0.0.1", await AskAsync(again.Address("dns").Port));
    }

    public void Dispose() => directory.Dispose();

    private static bool NodeIsNewer(GroundworkProcess node, DateTimeOffset before) => node.HasExited
        ? throw new InvalidOperationException(node.Output)
        : Kernel.Hosting.NodeFile.Read(node.DataDirectory) is { } file && file.StartedAt > before;

    private static async Task AskUntilAsync(int port, ConcurrentQueue<string> answers, CancellationToken end)
    {
        while (!end.IsCancellationRequested) answers.Enqueue(await AskAsync(port));
    }

    /// <summary>What dig prints of one question that it asks once and waits long for.</summary>
    private static async Task<string> AskAsync(int port)
    {
        var start = new ProcessStartInfo(
            Tools.Require("dig", "bind9-dnsutils"),
            ["@127.0.0.1", "-p", $"{port}", "+short", "+tries=1", "+time=30", "api.corp.example", "A"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var dig = Process.Start(start)!; // Null only for shell execution.
        var printed = (await dig.StandardOutput.ReadToEndAsync()).Trim();
        await dig.WaitForExitAsync();
        return printed;
    }

    private async Task<GroundworkProcess> StartAsync(string name)
    {
        var node = await GroundworkProcess.StartAsync(
            directory.Combine(name), ["run", .. GroundworkProcess.AnyPorts]);
        var (exit, output, error) = await node.VerbAsync("", "apply", "-f", directory.Write("zone.yaml", Zone));
        Assert.True(exit == 0, output + error);
        await Eventually.TrueAsync(
            async () => await AskAsync(node.Address("dns").Port) == "10.0.0.1", "the zone is served");
        return node;
    }
}

using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd.Settings;

/// <summary>
/// The rows of "When things fail" in docs/client.md that take the real executable; the others are in
/// tests/Client.Tests.
/// </summary>
public sealed class WhenThingsFailTests
{
    private const string Client = "r-1";

    [Fact]
    public async Task With_all_nodes_down_clients_run_and_start_on_what_they_know_and_catch_up_by_themselves()
    {
        using var state = new TemporaryDirectory();
        await using var node = await SettingsNode.StartAsync();
        await node.PublishAsync("1");
        var variables = node.Variables();
        variables["GROUNDWORK_STATE_DIRECTORY"] = state.Path;
        await using var running = await ReaderProcess.StartAsync(variables, Client);
        await using (var other = await ReaderProcess.StartAsync(variables, "r-2"))
        {
            await node.PublishAsync("2");
            await other.HasAsync("r-2", "2");
            await Eventually.TrueAsync(
                () => Directory.GetFiles(state.Path, "r-2.snapshot", SearchOption.AllDirectories) is [var file]
                    && File.ReadAllText(file).Contains(":2}", StringComparison.Ordinal),
                "the snapshot is on disk");
        }
        await running.HasAsync(Client, "2");

        await node.KillAsync();
        await using var started = await ReaderProcess.StartAsync(variables, "r-2");
        Assert.Equal("2", started.Values["r-2"]);
        Assert.Equal("2", running.Values[Client]);

        await node.RunAsync();
        var revision = await node.PublishAsync("3");
        await running.HasAsync(Client, "3");
        await started.HasAsync("r-2", "3");
        await AppliedAsync(node, revision, readers: 2);
    }

    [Fact]
    public async Task With_one_node_down_clients_use_the_next_of_their_addresses()
    {
        await using var node = await SettingsNode.StartAsync();
        await node.PublishAsync("1");
        var line = new CutLine(node.Port);
        var dead = $"http://127.0.0.1:{FreePort.Next()}";
        await using var reader = await ReaderProcess.StartAsync(
            node.Variables($"{dead},{line.Address},{node.Address}"), Client);
        await AppliedAsync(node, revision: null, readers: 1);

        // Connections break, and new ones are refused, as when the process behind them dies.
        await line.DisposeAsync();
        var revision = await node.PublishAsync("2");

        await reader.HasAsync(Client, "2");
        await AppliedAsync(node, revision, readers: 1);
    }

    [Fact]
    public async Task After_a_partition_clients_have_what_was_published_meanwhile()
    {
        await using var node = await SettingsNode.StartAsync();
        await node.PublishAsync("1");
        await using var line = new CutLine(node.Port);
        await using var reader = await ReaderProcess.StartAsync(node.Variables(line.Address), Client);
        await AppliedAsync(node, revision: null, readers: 1);

        line.Cut();
        var revision = await node.PublishAsync("2");
        await Eventually.TrueAsync(
            async () => await node.ReceiptsAsync(revision) is { Old: 1, Applied: 0 },
            "the platform says that it is old");
        Assert.Equal("1", reader.Values[Client]);
        line.Heal();

        await reader.HasAsync(Client, "2");
        await AppliedAsync(node, revision, readers: 1);
    }

    [Fact]
    public async Task A_clock_that_jumps_changes_nothing_for_clients()
    {
        using var clock = ShiftedClock.Require();
        await using var node = await SettingsNode.StartAsync();
        await node.PublishAsync("1");
        var variables = node.Variables();
        foreach (var (name, value) in clock.Environment) variables[name] = value;
        await using var reader = await ReaderProcess.StartAsync(variables, Client);
        await AppliedAsync(node, revision: null, readers: 1);

        clock.Shift(TimeSpan.FromHours(3));
        var forward = await node.PublishAsync("2");
        await reader.HasAsync(Client, "2");
        await AppliedAsync(node, forward, readers: 1);
        clock.Shift(TimeSpan.FromHours(-3));
        var back = await node.PublishAsync("3");
        await reader.HasAsync(Client, "3");
        await AppliedAsync(node, back, readers: 1);
    }

    private static Task AppliedAsync(SettingsNode node, long? revision, int readers) => Eventually.TrueAsync(
        async () => (await node.ReceiptsAsync(revision)).Applied == readers, $"{readers} applied it",
        TimeSpan.FromMinutes(1));
}

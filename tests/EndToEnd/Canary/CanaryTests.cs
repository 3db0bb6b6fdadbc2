using Groundwork.Kernel.Hosting;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Groundwork.Tests.EndToEnd.Canary;

/// <summary>
/// Secrets go into a node by every door, everything is used, and then every byte that came out is searched for them.
/// </summary>
public sealed class CanaryTests
{
    [Fact]
    public async Task No_secret_leaves_the_process_but_by_the_answers_that_are_meant_to_have_it()
    {
        using var directory = new TemporaryDirectory();
        await using var node = await GroundworkProcess.StartAsync(
            directory.Combine("data"), ["run", .. GroundworkProcess.AnyPorts]);
        using var local = node.Local();
        using var run = new CanaryRun(local, new Uri(node.Node.ApiAddress ?? ""), node.DataDirectory);
        await run.RunAsync();
        await UseTheCommandLineAsync(node, directory, run);
        run.LookAtFiles("data directory of the running node");
        node.Signal(Signals.Terminate);
        Assert.Equal(0, await node.ExitAsync());
        run.Hunt.Look("log", node.Output);
        run.LookAtFiles("data directory after the stop");

        Assert.True(run.Hunt.Searched > 1024 * 1024, $"only {run.Hunt.Searched} bytes were searched");
        Assert.Empty(run.Hunt.Found.Distinct());
    }

    [Fact]
    public async Task No_secret_is_logged_at_any_level()
    {
        await using var node = await RunningNode.StartAsync(
            [.. Product.EdgeModules(), new SettingsModule()], level: LogLevel.Trace);
        using var run = new CanaryRun(
            node.Local, node.Node.Listeners.UrlOf(ListenerDefinition.Api), node.Node.DataDirectory.Path);
        await run.RunAsync();
        await node.StopAsync();
        run.Hunt.Look("log", $"{node.Log}");

        Assert.Contains("level=info", $"{node.Log}", StringComparison.Ordinal);
        Assert.Empty(run.Hunt.Found.Distinct());
    }

    [Fact]
    public void A_leak_is_found_in_every_form()
    {
        const string secret = "Canary0123456789ABCDEFEnd";
        var bytes = System.Text.Encoding.UTF8.GetBytes(secret);
        foreach (var leak in new[]
        {
            $"x{secret}y", Uri.EscapeDataString($"ä{secret}/"),
            System.Text.Json.JsonSerializer.Serialize($"\"{secret}\""),
            Convert.ToBase64String(bytes), Convert.ToBase64String([1, .. bytes, 2]),
            Convert.ToBase64String([1, 2, .. bytes]), Convert.ToHexString(bytes), Convert.ToHexStringLower(bytes),
            secret[..14], secret[12..],
        })
        {
            var hunt = new SecretHunt();
            hunt.Add("canary", secret);
            hunt.Look("leak", leak);
            Assert.True(hunt.Found.Count > 0, leak);
        }
        var wide = new SecretHunt();
        wide.Add("canary", secret);
        wide.Look("leak", System.Text.Encoding.Unicode.GetBytes(secret));
        wide.Look("nothing", "Canary, but not this one");
        Assert.All(wide.Found, found => Assert.EndsWith("leak", found));
        Assert.NotEmpty(wide.Found);
    }

    private static async Task UseTheCommandLineAsync(
        GroundworkProcess node, TemporaryDirectory directory, CanaryRun run)
    {
        var file = $"kind: setting\nname: g/applied\nspec:\n  format: text\n  secret: true\n  content: {run.Core}\n";
        await MustAsync(node, run, file, "apply", "-f", "-");
        foreach (var arguments in new string[][]
        {
            ["get", "setting", "g/applied"], ["get", "setting", "g/applied", "-o", "json"],
            ["list", "setting"], ["list", "setting", "-o", "yaml"], ["list", "operator", "-o", "json"],
            ["history", "setting", "g/put", "-o", "json"], ["history"], ["history", "-o", "json"],
            ["diff", "setting", "g/put", "--from", "2"], ["export"], ["audit", "list", "-o", "json"], ["key", "list"],
            ["watch", "setting", "--after", "1", "--count", "3", "-o", "json"], ["doctor"], ["node", "list"],
            ["backup", directory.Combine("canary.backup")], ["modules"], ["version"], ["approve"],
        })
            await MustAsync(node, run, "", arguments);
        await MustAsync(node, run, run.Secret, "seal", "--namespace", "default");
        await MustAsync(node, run, "", "sealing-key", "list", "-o", "json");
        run.Hunt.Look("compare", (await node.VerbAsync("", "compare", "default", "guarded", "--all")).Output);
        var export = await node.VerbAsync("", "export", "setting");
        await MustAsync(node, run, export.Output, "apply", "-f", "-");
        await MustAsync(node, run, export.Output, "diff", "-f", "-");
        var broken = await node.VerbAsync(
            file.Replace("format: text", "format: json", StringComparison.Ordinal), "apply", "-f", "-");
        run.Hunt.Look("apply of a secret with faults", broken.Output + broken.Error);
        run.Hunt.Look("the backup's file", await File.ReadAllBytesAsync(directory.Combine("canary.backup")));
    }

    private static async Task MustAsync(
        GroundworkProcess node, CanaryRun run, string input, params string[] arguments)
    {
        var (exit, output, error) = await node.VerbAsync(input, arguments);
        Assert.True(exit == 0, $"{string.Join(' ', arguments)}: {exit}\n{output}{error}");
        run.Hunt.Look($"groundwork {string.Join(' ', arguments)}", output + error);
    }
}

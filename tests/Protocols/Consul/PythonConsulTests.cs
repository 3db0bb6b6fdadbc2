using System.Diagnostics;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.Consul;

/// <summary>
/// Debian's python3-consul, which is of the time before Consul 1.0 and says everything in lower case.
/// </summary>
public sealed class PythonConsulTests(ITestOutputHelper output)
{
    // Debian's own: another Python on the PATH does not see the packages of the system.
    private const string Python = "/usr/bin/python3";
    private const string Library = "/usr/lib/python3/dist-packages/consul/__init__.py";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Client_lives_its_whole_life()
    {
        if (!File.Exists(Library)) Tools.Unavailable("python3-consul is not installed (Debian: python3-consul)");
        await using var node = await RunningNode.StartAsync([new RegistryModule()]);
        var key = await node.MintAsync(
            "orders", [], [new Grant(["register", "renew", "discover"], ["instance"], ["default"])]);
        var said = await RunAsync(node.Node.Listeners.UrlOf(ListenerDefinition.Api), key);
        output.WriteLine($"python3-consul {said["version"].GetProperty("version")}");
        foreach (var done in new[] { "registered", "passed", "maintained", "failed", "placed", "displaced",
            "deregistered" })
            Assert.True(said[done].GetProperty("ok").GetBoolean(), done);
        Assert.Equal(0, said["critical"].GetProperty("passing").GetInt32());
        var service = said["passing"].GetProperty("service");
        Assert.Equal(("orders-1", "10.0.0.1", 8080), (
            service.GetProperty("ID").GetString(), service.GetProperty("Address").GetString(),
            service.GetProperty("Port").GetInt32()));
        Assert.True(Number(said["passing"], "index") > Number(said["passing"], "before"));
        Assert.Equal("[\"serfHealth\", \"service:orders-1\"]", said["passing"].GetProperty("checks").GetRawText());
        var catalog = said["catalog"];
        Assert.Equal("{\"orders\": [\"blue\", \"v1\"]}", catalog.GetProperty("services").GetRawText());
        Assert.Equal("[\"groundwork\"]", catalog.GetProperty("machines").GetRawText());
        Assert.Equal((1, 0), (catalog.GetProperty("tagged").GetInt32(), catalog.GetProperty("untagged").GetInt32()));
        Assert.Equal("passing", said["agent"].GetProperty("checks").GetProperty("service:orders-1").GetString());
        Assert.Equal(0, said["maintained"].GetProperty("passing").GetInt32());
        Assert.Equal("[\"a new disk\"]", said["maintained"].GetProperty("critical").GetRawText());
        Assert.Equal("[\"critical\"]", said["failed"].GetProperty("states").GetRawText());
        Assert.Contains("No path to datacenter", said["elsewhere"].GetProperty("error").GetString(),
            StringComparison.Ordinal);
        Assert.Equal(631, said["placed"].GetProperty("on").GetInt32());
        Assert.Equal("[]", said["displaced"].GetProperty("left").GetRawText());
        Assert.Equal("[]", said["deregistered"].GetProperty("left").GetRawText());
    }

    private static long Number(JsonElement said, string name) =>
        long.Parse(said.GetProperty(name).GetString() ?? "", System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<Dictionary<string, JsonElement>> RunAsync(Uri url, string key)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "Clients", "consul_life.py");
        using var process = Process.Start(new ProcessStartInfo(Python, [script, url.Host, $"{url.Port}", key])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!; // Not null: it does not go through a shell.
        var faults = process.StandardError.ReadToEndAsync();
        var lines = await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(process.ExitCode == 0, $"{await faults}\n{lines}");
        return lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize<JsonElement>(line))
            .ToDictionary(said => said.GetProperty("event").GetString() ?? "");
    }
}

using System.Diagnostics;
using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Inspection;

/// <summary>What sqlmap, unmodified, finds in a service that takes any statement, without the inspection and with it.
/// </summary>
public sealed class SqlmapTests
{
    [Theory]
    [InlineData("/by-id?id=1")]
    [InlineData("/by-name?id=lamp")]
    public async Task Sqlmap_finds_the_hole_without_the_inspection_and_nothing_with_it(string target)
    {
        var sqlmap = Tools.Require("sqlmap", "sqlmap");
        await using var service = await InjectableService.StartAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(service.Address);

        var open = await RunAsync(sqlmap, edge.Address, target, "--level=1", "--risk=1");
        Assert.Contains("is vulnerable", open, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Payload:", open, StringComparison.Ordinal);
        Assert.Contains("SQLite", open, StringComparison.Ordinal);
        var asked = service.Requests;

        edge.RouteAll(route => route with { Inspect = new InspectSpec("block") });
        string[] extent = LongRun.Asked ? ["--level=5", "--risk=3"] : ["--level=2", "--risk=2"];
        var closed = await RunAsync(sqlmap, edge.Address, target, extent);
        Assert.DoesNotContain("Payload:", closed, StringComparison.Ordinal);
        Assert.DoesNotContain("is vulnerable", closed, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("do not appear to be injectable", closed, StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{asked} requests reached the service before, {service.Requests - asked} then");
        TestContext.Current.TestOutputHelper?.WriteLine(open);
        TestContext.Current.TestOutputHelper?.WriteLine(closed);
    }

    private static async Task<string> RunAsync(
        string sqlmap, IPEndPoint gateway, string target, params IReadOnlyList<string> extent)
    {
        using var home = new TemporaryDirectory();
        var start = new ProcessStartInfo(sqlmap)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
            UseShellExecute = false, WorkingDirectory = home.Path,
        };
        // Its state goes to a folder of its own: nothing is remembered from one run to another.
        start.Environment["HOME"] = home.Path;
        start.Environment["XDG_DATA_HOME"] = home.Path;
        start.Environment["no_proxy"] = "*";
        foreach (var argument in (ReadOnlySpan<string>)
        [
            "-u", $"http://{gateway}{target}", "-p", "id", "--batch", "--flush-session", "--disable-coloring",
            "--ignore-proxy", "--dbms=sqlite", "--threads=4", "--technique=BU", "--timeout=10", "--retries=0",
            "--ignore-code=403", "--output-dir", home.Path, .. extent,
        ]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!; // The program is there.
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(
            TimeSpan.FromMinutes(LongRun.Asked ? 20 : 2), TimeProvider.System);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return output + await error;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}

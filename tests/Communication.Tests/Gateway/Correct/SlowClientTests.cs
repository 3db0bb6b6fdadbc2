using System.Diagnostics;
using System.Globalization;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>
/// slowhttptest against the gateway: while hundreds are slow, its own probe finds the service available.
/// </summary>
public sealed class SlowClientTests
{
    private const string Connections = "400";

    [Theory]
    [InlineData("head", "-H", "-i", "1", "-r", "200")]
    [InlineData("body", "-B", "-i", "1", "-r", "200", "-s", "8192", "-t", "POST")]
    [InlineData("read", "-X", "-r", "200", "-w", "64", "-y", "128", "-n", "1", "-z", "16", "-k", "3")]
    public async Task Service_stays_available_to_others(string what, params string[] mode)
    {
        var program = Tools.Require("slowhttptest", "slowhttptest");
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            await context.Response.WriteAsync(new string('x', 256 * 1024));
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var directory = new TemporaryDirectory();
        using var attack = Process.Start(new ProcessStartInfo(
            program,
            [.. mode, "-c", Connections, "-l", "8", "-p", "5", "-u", $"http://{edge.Address}/", "-g", "-o", "out"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory.Path,
        })!; // Not null: it does not go through a shell.
        var said = attack.StandardOutput.ReadToEndAsync();
        await attack.WaitForExitAsync().WaitAsync(Eventually.Patience);
        await said;
        // Seconds, closed, pending, connected, service available.
        var rows = (await File.ReadAllLinesAsync(directory.Combine("out.csv"))).Skip(1).Select(
            line => line.Split(',').Select(cell => int.Parse(cell, CultureInfo.InvariantCulture)).ToArray()).ToList();
        Assert.NotEmpty(rows);
        Assert.Contains(rows, row => row[3] >= 100); // It was an attack.
        Assert.All(rows.Skip(1), row => Assert.True(row[4] > 0, $"{what}: not available after {row[0]} s"));
        using var answer = await edge.Client.GetAsync("/").WaitAsync(Eventually.Patience);
        Assert.True(answer.IsSuccessStatusCode);
    }
}

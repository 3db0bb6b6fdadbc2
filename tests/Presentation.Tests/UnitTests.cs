using System.Diagnostics;
using Groundwork.Tests.Support;

namespace Groundwork.Presentation.Tests;

/// <summary>The console's own tests: words, event streams, addresses; and what it weighs.</summary>
public sealed class UnitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Tests_of_the_console_pass()
    {
        var npm = Tools.Require("npm", "npm");
        using var run = Process.Start(new ProcessStartInfo(npm, ["run", "--silent", "test"])
        {
            WorkingDirectory = Path.Combine(GroundworkProcess.Repository, "src", "Presentation", "Console"),
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!; // Null only for shell execution.
        var output = run.StandardOutput.ReadToEndAsync();
        var error = run.StandardError.ReadToEndAsync();
        await run.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
        Assert.True(run.ExitCode == 0, await output + await error);
    }

    /// <summary>What every visitor loads before the first page; pages come when they are opened.</summary>
    [Fact]
    public void First_load_stays_small()
    {
        if (!ConsoleFiles.Carried.AreThere) Tools.Unavailable("the console was built without Node.js");
        var page = ConsoleFiles.Carried.Find(ConsoleFiles.Page)!; // It is there.
        using var plain = new StreamReader(new System.IO.Compression.GZipStream(
            new MemoryStream(page.Gzipped.ToArray()), System.IO.Compression.CompressionMode.Decompress));
        var text = plain.ReadToEnd();
        var named = text.Split('"').Where(part => part.StartsWith("/console/assets/", StringComparison.Ordinal))
            .Select(part => ConsoleFiles.Carried.Find(part["/console/".Length..])!).ToList();
        Assert.NotEmpty(named);
        Assert.InRange(named.Sum(file => file.Gzipped.Length), 10_000, 300_000);
    }
}

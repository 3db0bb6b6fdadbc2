using System.Diagnostics;

namespace Groundwork.Kernel.Tests.Storage;

/// <summary>Runs this test program again as a process of its own, with other settings or under a tracer.</summary>
internal static class SelfProcess
{
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "Groundwork.Kernel.Tests");

    /// <summary>Runs to the end and returns the exit code and everything printed.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        IReadOnlyDictionary<string, string> environment, IEnumerable<string> command,
            CancellationToken cancellationToken)
    {
        string[] all = [.. command];
        var start = new ProcessStartInfo(all[0], all[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!; // Not by the shell, so there is a process.
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, await output + await errors);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;

namespace Groundwork.Tests.Support;

/// <summary>
/// Clients of the SDK in a process of their own (tests/Reader), and the value that each has. Disposal kills it.
/// </summary>
public sealed class ReaderProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly ConcurrentQueue<string> lines = new();
    private readonly ConcurrentDictionary<string, string> values = new(StringComparer.Ordinal);

    private ReaderProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The value that each client has said last, by its instance's id.</summary>
    public IReadOnlyDictionary<string, string> Values => values;

    public string Output => string.Join('\n', lines);

    /// <summary>Starts the clients, and returns when each has said its first value.</summary>
    /// <param name="variables">The platform's address and key, and what else the process is given.</param>
    /// <param name="clients">As tests/Reader/Program.cs takes them.</param>
    public static async Task<ReaderProcess> StartAsync(
        IReadOnlyDictionary<string, string> variables, params string[] clients)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Groundwork.Tests.Reader"), clients)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(
            name => name.StartsWith("GROUNDWORK_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in variables) start.Environment[name] = value;
        var started = new ReaderProcess(Process.Start(start)!); // Null only for shell execution.
        await Eventually.TrueAsync(
            () => started.values.Count == clients.Length || (started.process.HasExited
                ? throw new InvalidOperationException($"The readers ended:\n{started.Output}") : false),
            "every reader has a first value", TimeSpan.FromMinutes(2));
        return started;
    }

    public void Signal(int signal) => GroundworkProcess.Signal(process.Id, signal);

    /// <summary>Waits until this client has this value.</summary>
    public Task HasAsync(string client, string value) => Eventually.TrueAsync(
        () => values[client] == value, $"{client} has {value}", TimeSpan.FromMinutes(1));

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null) return;
        lines.Enqueue(line);
        if (line.Split(' ') is [var client, var value]) values[client] = value;
    }
}

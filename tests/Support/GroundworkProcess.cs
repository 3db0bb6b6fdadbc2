using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Groundwork.Tests.Support;

/// <summary>
/// The real executable, with a temporary directory, run as a user runs it. Its addresses come from <c>node.json</c>,
/// its output is kept for the failure's message. Disposal kills what still runs.
/// </summary>
public sealed class GroundworkProcess : IAsyncDisposable
{
    /// <summary>A start on two busy cores, with a build before it.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(3);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly string dataDirectory;
    private readonly TemporaryDirectory? owned;
    private readonly Task reading;

    private GroundworkProcess(Process process, string dataDirectory, TemporaryDirectory? owned)
    {
        this.process = process;
        this.dataDirectory = dataDirectory;
        this.owned = owned;
        reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <summary>The program, which the build puts beside tests that refer to the Host project.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "groundwork");

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public string DataDirectory => dataDirectory;

    /// <summary>Everything printed so far, both streams.</summary>
    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    /// <summary>Starts <c>groundwork run</c> on free ports and waits until it says where it listens.</summary>
    public static Task<GroundworkProcess> RunAsync(params IEnumerable<string> arguments)
    {
        var directory = new TemporaryDirectory();
        var data = directory.Combine("data");
        return StartAsync(
            ["run", "--data", data, "--set", "listeners.api.address=127.0.0.1:0", "--set",
                "listeners.gateway.address=127.0.0.1:0", .. arguments],
            directory.Path, data, directory);
    }

    /// <summary>
    /// Starts <c>groundwork up</c> with its data below <paramref name="workingDirectory"/>, which the caller owns.
    /// </summary>
    public static Task<GroundworkProcess> UpAsync(string workingDirectory, params IEnumerable<string> arguments) =>
        StartAsync(["up", .. arguments], workingDirectory, Path.Combine(workingDirectory, ".groundwork"), owned: null);

    /// <summary>Starts any verb that announces a node.</summary>
    private static async Task<GroundworkProcess> StartAsync(
        IEnumerable<string> arguments, string workingDirectory, string dataDirectory, TemporaryDirectory? owned)
    {
        var start = new ProcessStartInfo(Program, arguments)
        {
            WorkingDirectory = workingDirectory,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var child = Process.Start(start)!; // Null only with UseShellExecute.
        child.StandardInput.Close();
        var groundwork = new GroundworkProcess(child, dataDirectory, owned);
        try
        {
            await Eventually.TrueAsync(
                () => groundwork.HasExited || groundwork.NodeFile() is not null, "node.json is there", StartPatience);
            if (groundwork.HasExited) Assert.Fail($"groundwork ended with {child.ExitCode}:\n{groundwork.Output}");
            return groundwork;
        }
        catch
        {
            await groundwork.DisposeAsync();
            throw;
        }
    }

    /// <summary>URL of a listener, such as <c>api</c> or <c>gateway</c>.</summary>
    public Uri Address(string listener) =>
        new((string?)NodeFile()?["listeners"]?[listener] ?? throw new InvalidOperationException(
            $"No listener {listener}:\n{Output}"));

    /// <summary>Waits until the output holds the text.</summary>
    public Task PrintsAsync(string text) =>
        Eventually.TrueAsync(() => Output.Contains(text, StringComparison.Ordinal), $"prints '{text}'", StartPatience);

    /// <summary>Sends a signal by its name, such as <c>INT</c> or <c>STOP</c>.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Waits for the end and returns the exit code.</summary>
    public async Task<int> EndAsync()
    {
        await process.WaitForExitAsync().WaitAsync(StartPatience, TimeProvider.System);
        await reading;
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        await reading;
        process.Dispose();
        owned?.Dispose();
    }

    private JsonNode? NodeFile()
    {
        try
        {
            var node = JsonNode.Parse(File.ReadAllText(Path.Combine(dataDirectory, "node.json")));
            // One that a killed process of the same directory has left behind is not ours.
            return (int?)node?["pid"] == process.Id ? node : null;
        }
        catch (Exception absent) when (absent is IOException or JsonException)
        {
            return null;
        }
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
            lock (output) output.Append(line).Append('\n');
    }
}

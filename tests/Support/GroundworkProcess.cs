using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Tests.Support;

/// <summary>
/// The real executable as a process of its own, with what it printed and what its node file says. Disposal kills what
/// still runs.
/// </summary>
public sealed class GroundworkProcess : IAsyncDisposable
{
    /// <summary>Builds and starts may share two cores with every other suite.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly Dictionary<string, string> NoEnvironment = [];

    private readonly Process process;
    private readonly ConcurrentQueue<string> lines = new();
    private readonly TemporaryDirectory? owned;

    private GroundworkProcess(Process process, string dataDirectory, TemporaryDirectory? owned = null)
    {
        this.process = process;
        this.owned = owned;
        DataDirectory = dataDirectory;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The executable, which the build puts beside tests that refer to the Host project.</summary>
    public static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "groundwork");

    /// <summary>Arguments that let the system choose the ports of the API and the gateway.</summary>
    public static IReadOnlyList<string> AnyPorts { get; } =
        [
            "--set", "listeners.api.address=127.0.0.1:0", "--set", "listeners.gateway.address=127.0.0.1:0",
            "--set", "listeners.dns.address=127.0.0.1:0",
            "--set", "listeners.httpdns.address=127.0.0.1:0", "--set", "listeners.grpc.address=127.0.0.1:0",
        ];

    /// <summary>The folder that holds the solution.</summary>
    public static string Repository { get; } = FindRepository();

    public string DataDirectory { get; }

    public int Id => process.Id;

    public string Output => string.Join('\n', lines);

    public bool HasExited => process.HasExited;

    public NodeFile Node =>
        NodeFile.Read(DataDirectory) ?? throw new InvalidOperationException($"No node runs in {DataDirectory}.");

    /// <summary>Runs a node on free ports, with a directory of its own that goes with it.</summary>
    public static Task<GroundworkProcess> StartNodeAsync()
    {
        var directory = new TemporaryDirectory();
        return ReadyAsync(StartOwned(directory.Combine("data"), NoEnvironment, ["run", .. AnyPorts], directory));
    }

    /// <summary>
    /// Starts <c>up</c> in a working directory, which the caller owns, with its data where it puts them.
    /// </summary>
    public static Task<GroundworkProcess> UpAsync(string workingDirectory, string upDirectory)
    {
        var start = ToStart(NoEnvironment, ["up", upDirectory]);
        start.WorkingDirectory = workingDirectory;
        // Null only for shell execution.
        return ReadyAsync(new GroundworkProcess(Process.Start(start)!, Path.Combine(workingDirectory, ".groundwork")));
    }

    /// <summary>Starts a verb that runs a node, and returns when the node is ready.</summary>
    public static Task<GroundworkProcess> StartAsync(string dataDirectory, params string[] arguments) =>
        StartAsync(dataDirectory, NoEnvironment, arguments);

    /// <inheritdoc cref="StartAsync(string, string[])"/>
    /// <param name="environment">Variables that the process gets beside its own.</param>
    public static Task<GroundworkProcess> StartAsync(
        string dataDirectory, IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        ReadyAsync(StartOwned(dataDirectory, environment, arguments));

    private static async Task<GroundworkProcess> ReadyAsync(GroundworkProcess started)
    {
        try
        {
            await started.ReadyAsync();
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts without waiting.</summary>
    public static GroundworkProcess Start(string dataDirectory, params string[] arguments) =>
        StartOwned(dataDirectory, NoEnvironment, arguments);

    /// <inheritdoc cref="Start(string, string[])"/>
    /// <param name="environment">Variables that the process gets beside its own.</param>
    public static GroundworkProcess Start(
        string dataDirectory, IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        StartOwned(dataDirectory, environment, arguments);

    private static GroundworkProcess StartOwned(
        string dataDirectory, IReadOnlyDictionary<string, string> environment, string[] arguments,
        TemporaryDirectory? owned = null)
    {
        var start = ToStart(environment, [.. arguments, "--data", dataDirectory]);
        return new GroundworkProcess(Process.Start(start)!, dataDirectory, owned); // Null only for shell execution.
    }

    private static ProcessStartInfo ToStart(
        IReadOnlyDictionary<string, string> environment, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Executable, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var name in start.Environment.Keys.Where(
            name => name.StartsWith("GROUNDWORK_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["NO_COLOR"] = "1";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return start;
    }

    /// <summary>Runs a verb to its end.</summary>
    public static async Task<(
        int ExitCode, string Output, string Error)> RunAsync(string input, params string[] arguments)
    {
        using var run = Process.Start(ToStart(NoEnvironment, arguments))!; // Null only for shell execution.
        await run.StandardInput.WriteAsync(input);
        run.StandardInput.Close();
        var output = run.StandardOutput.ReadToEndAsync();
        var error = run.StandardError.ReadToEndAsync();
        await run.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
        return (run.ExitCode, await output, await error);
    }

    /// <summary>URL of a listener, such as <c>api</c> or <c>gateway</c>.</summary>
    public Uri Address(string listener) => new(Node.Listeners[listener]);

    /// <summary>Runs a verb against this process's node.</summary>
    public Task<(int ExitCode, string Output, string Error)> VerbAsync(string input, params string[] arguments) =>
        RunAsync(input, [.. arguments, "--data", DataDirectory]);

    /// <summary>A client over the node's Unix socket, as the local verbs use it: the principal is this user.</summary>
    public HttpClient Local()
    {
        var socket = Node.ApiSocket ?? throw new InvalidOperationException("The node has no socket.");
        var client = UnixSocketClient.Over(socket);
        client.BaseAddress = new Uri("http://localhost/groundwork/v1/");
        return client;
    }

    /// <summary>Waits until the process prints something.</summary>
    public Task PrintsAsync(string text) => Eventually.TrueAsync(
        () =>
            Output.Contains(text, StringComparison.Ordinal)
                || Exited(), $"it prints '{text}'. It printed:\n{Output}", Patience);

    public void Signal(int signal) => Signal(process.Id, signal);

    public static void Signal(int pid, int signal)
    {
        if (Kill(pid, signal) != 0) throw new InvalidOperationException($"Process {pid} cannot be signalled.");
    }

    public async Task<int> ExitAsync()
    {
        await process.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        owned?.Dispose();
    }

    private Task ReadyAsync() => Eventually.TrueAsync(
        () => NodeFile.Read(DataDirectory)?.Pid == process.Id || Exited(), "the node is ready", Patience);

    private bool Exited() => process.HasExited
        ? throw new InvalidOperationException($"It exited with {process.ExitCode}:\n{Output}")
        : false;

    private void Keep(string? line)
    {
        if (line is not null) lines.Enqueue(line);
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Groundwork.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int pid, int signal);
}

/// <summary>The signals that tests send.</summary>
public static class Signals
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;
}

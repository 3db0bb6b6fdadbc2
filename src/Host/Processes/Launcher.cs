using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;

namespace Groundwork.Host.Processes;

/// <summary>
/// Starts children that die with this process, even by kill -9, through the <c>launch</c> verb. All are started from
/// one thread that lives as long as the launcher: the death signal follows the parent's thread, not its process.
/// </summary>
internal sealed class Launcher : IDisposable
{
    private readonly ImmutableArray<string> self;
    private readonly BlockingCollection<(ProcessStartInfo Start, TaskCompletionSource<Process> Started)> requests = [];
    private readonly Thread thread;

    /// <param name="self">The command that starts this program; see <see cref="Executable.Self"/>.</param>
    public Launcher(ImmutableArray<string> self)
    {
        this.self = self;
        thread = new Thread(StartAll) { Name = "launcher", IsBackground = true };
        thread.Start();
    }

    /// <summary>
    /// Starts the command at the head of a process group of its own, without input, its outputs redirected.
    /// </summary>
    /// <param name="environment">Changes to the inherited environment; null removes a variable.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">This program itself cannot be started.</exception>
    public Task<Process> StartAsync(
        IReadOnlyList<string> command, string workingDirectory, IReadOnlyDictionary<string, string?> environment)
    {
        var start = new ProcessStartInfo(self[0])
        {
            WorkingDirectory = workingDirectory,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var parent = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        foreach (var argument in (string[])[.. self.Skip(1), "launch", "--parent", parent, "--", .. command])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        requests.Add((start, started));
        return started.Task;
    }

    /// <summary>Ends the thread, and with it every child that still runs.</summary>
    public void Dispose()
    {
        requests.CompleteAdding();
        thread.Join();
        requests.Dispose();
    }

    private void StartAll()
    {
        foreach (var (start, started) in requests.GetConsumingEnumerable())
        {
            try
            {
                var process = Process.Start(start)!; // Null only with UseShellExecute.
                process.StandardInput.Close();
                started.SetResult(process);
            }
            catch (Exception fault)
            {
                started.SetException(fault); // The caller awaits it; the thread goes on for the others.
            }
        }
    }
}

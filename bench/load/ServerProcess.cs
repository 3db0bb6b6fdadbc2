using System.Diagnostics;
using System.Globalization;

namespace Groundwork.Load;

/// <summary>A child process that serves, and the CPU time it and its own children have used.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);

    /// <summary>Ticks per second of the times in /proc, which is 100 on every Linux that .NET runs on.</summary>
    private const double ClockTicksPerSecond = 100;

    private readonly Process process;
    private readonly bool watchesInput;

    private ServerProcess(Process process, bool watchesInput)
    {
        this.process = process;
        this.watchesInput = watchesInput;
    }

    /// <summary>Starts a program; its errors go where ours go, and its output unless it is to be quiet.</summary>
    public static ServerProcess Start(string program, IEnumerable<string> arguments, bool quiet = false) =>
        Start(program, arguments, quiet, watchesInput: false);

    private static ServerProcess Start(string program, IEnumerable<string> arguments, bool quiet, bool watchesInput)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = quiet,
            UseShellExecute = false,
        };
        var started = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        if (quiet) started.BeginOutputReadLine(); // Read and forgotten: a full pipe would stop it.
        return new ServerProcess(started, watchesInput);
    }

    /// <summary>
    /// Starts this program again to serve; it ends when its standard input does, so that it never outlives us.
    /// </summary>
    public static ServerProcess StartSelf(string scenario, params IEnumerable<string> arguments)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path.");
        // Under `dotnet Groundwork.Load.dll` the program is dotnet, and needs to be told what to run.
        var isHosted = Path.GetFileNameWithoutExtension(program) == "dotnet";
        string[] self = isHosted ? [typeof(ServerProcess).Assembly.Location] : [];
        return Start(program, [.. self, "serve", scenario, .. arguments], quiet: false, watchesInput: true);
    }

    /// <summary>Completes when the parent has gone or has ended our standard input.</summary>
    public static async Task ParentEndsAsync()
    {
        var buffer = new byte[1];
        await using var input = Console.OpenStandardInput();
        while (await input.ReadAsync(buffer) > 0)
        {
            // Nothing is said to us; only the end matters.
        }
    }

    public bool HasExited => process.HasExited;

    /// <summary>CPU time of the process and of all below it, from /proc.</summary>
    public TimeSpan CpuTime => TimeSpan.FromSeconds(Family().Sum(one => one.Seconds));

    /// <summary>Memory that the process and all below it hold, from /proc; what they share counts for each.</summary>
    public long ResidentBytes => Family().Sum(one => one.Pages) * Environment.SystemPageSize;

    private List<Usage> Family()
    {
        var all = new Dictionary<int, Usage>();
        foreach (var directory in Directory.GetDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(directory), out var id) && Read(id) is { } read) all[id] = read;
        return [.. all.Where(entry => IsOurs(entry.Key)).Select(entry => entry.Value)];

        bool IsOurs(int id) =>
            id == process.Id || (all.TryGetValue(id, out var entry) && entry.Parent > 1 && IsOurs(entry.Parent));
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        if (!watchesInput) await SignalAsync();
        using var patience = new CancellationTokenSource(StopPatience, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
        process.Dispose();
    }

    private async Task SignalAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }

    // proc(5): the fields after the closing parenthesis are state, parent, …; the 12th to 15th user and system time,
    // ours and that of children already waited for; the 22nd the resident pages.
    private static Usage? Read(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
            return new Usage(
                int.Parse(fields[1], CultureInfo.InvariantCulture), ticks / ClockTicksPerSecond,
                long.Parse(fields[21], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // It ended between the listing and this look.
            return null;
        }
    }

    private sealed record Usage(int Parent, double Seconds, long Pages);
}

using System.Collections.Immutable;
using System.Diagnostics;
using System.Security;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Host.Processes;

namespace Groundwork.Host.Up;

/// <summary>Builds all declared projects in one <c>dotnet build</c>, and says what each one became.</summary>
internal sealed class ProjectBuild(Terminal terminal, TimeProvider time)
{
    /// <summary>Lines of the compiler's output shown when it fails; the first faults are the ones to mend.</summary>
    private const int MaxFaultLines = 40;

    private const string Arrow = " -> ";

    /// <summary>Builds the projects.</summary>
    /// <returns>The path of each project's assembly, by the project's path.</returns>
    public async Task<ImmutableDictionary<string, string>> RunAsync(
        IReadOnlyCollection<string> projects, CancellationToken cancellationToken)
    {
        if (projects.Count == 0) return ImmutableDictionary<string, string>.Empty;
        var scratch = Directory.CreateTempSubdirectory("groundwork-up-");
        try
        {
            var solution = Path.Combine(scratch.FullName, "up.slnx");
            await File.WriteAllTextAsync(solution, Solution(projects), cancellationToken);
            var started = time.GetTimestamp();
            terminal.Error.WriteLine($"building {(projects.Count == 1 ? "1 project" : $"{projects.Count} projects")}");
            var output = await BuildAsync(solution, cancellationToken);
            terminal.Error.WriteLine($"built in {time.GetElapsedTime(started).TotalSeconds:0.0} s");
            return projects.ToImmutableDictionary(
                project => project, project => Find(project, output), StringComparer.Ordinal);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private async Task<List<string>> BuildAsync(string solution, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Executable.Dotnet(), ["build", solution, "-nologo", "-v:minimal", "--tl:off"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // `dotnet run` starts us with its own MSBuild settings, which are not for another build.
        foreach (var variable in start.Environment.Keys.Where(IsOfAnotherBuild).ToList())
            start.Environment.Remove(variable);
        using var process = Process.Start(start)!; // Null only with UseShellExecute.
        process.StandardInput.Close();
        var lines = new List<string>();
        using var progress = new Progress(terminal, time, "building");
        try
        {
            await Task.WhenAll(
                LineReader.ReadAsync(process.StandardOutput, Take, cancellationToken),
                LineReader.ReadAsync(process.StandardError, Take, cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        if (process.ExitCode == 0) return lines;
        var faults = lines.Where(line => line.Contains(": error ", StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal).ToList();
        throw new VerbFailure(ExitCodes.Fault, "the build failed")
        {
            Details = [.. (faults.Count > 0 ? faults : lines).Take(MaxFaultLines).Select(line => line.Trim())],
        };

        ValueTask Take(string line)
        {
            lock (lines) lines.Add(line);
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>
    /// The build says <c>Name -> /path/Name.dll</c> for every project, also for those that the declared ones refer to.
    /// </summary>
    private static string Find(string project, List<string> output)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        var directory = Path.GetDirectoryName(project) + Path.DirectorySeparatorChar;
        var assemblies = output
            .Select(line => line.Trim().Split(Arrow, 2))
            .Where(parts => parts is [var built, var path] && built == name
                && path.EndsWith(".dll", StringComparison.Ordinal))
            .Select(parts => parts[1])
            .ToList();
        // Two projects may have one name; the one below the project's own directory is its own.
        return assemblies.Find(path => path.StartsWith(directory, StringComparison.Ordinal))
            ?? (assemblies.Count > 0 ? assemblies[0] : null)
            ?? throw new VerbFailure(
                ExitCodes.Fault, $"the build does not say where it put {project}; is it an executable?");
    }

    private static string Solution(IEnumerable<string> projects) =>
        "<Solution>\n"
        + string.Concat(projects.Select(path => $"  <Project Path=\"{SecurityElement.Escape(path)}\" />\n"))
        + "</Solution>\n";

    private static bool IsOfAnotherBuild(string variable) =>
        variable.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)
            || variable == "DOTNET_CLI_TELEMETRY_SESSIONID";
}

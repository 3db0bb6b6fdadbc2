using System.Collections.Immutable;
using System.Diagnostics;

namespace Groundwork.Host.Tests;

/// <summary>The real executable, which the build puts beside the tests.</summary>
internal static class HostProgram
{
    public static ImmutableArray<string> Command { get; } = [Path.Combine(AppContext.BaseDirectory, "groundwork")];

    /// <summary>True while the process exists and is not a zombie that only waits to be collected.</summary>
    public static bool IsAlive(int processId)
    {
        try
        {
            // The state is the first field after the name, which is in parentheses and may hold anything.
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..][0] is not ('Z' or 'X');
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public static Process Start(string program, params IEnumerable<string> arguments) => Process.Start(
        new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput =
                true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false,
        })!; // Null only with UseShellExecute.
}

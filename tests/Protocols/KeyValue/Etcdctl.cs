using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.KeyValue;

/// <summary>
/// Debian's etcdctl against one server. What differs from server to server and run to run (ids, terms, the time that is
/// left) is put down as words, so that two servers' answers can be compared.
/// </summary>
internal sealed partial class Etcdctl(int port, string? user = null)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly List<string> leases = []; // As hexadecimal, in the order that they were seen.

    /// <summary>The leases that it has seen granted, as etcdctl writes them.</summary>
    public IReadOnlyList<string> Leases => leases;

    /// <param name="arguments">Split at blanks; <c>$1</c> is the first lease that was granted.</param>
    public async Task<string> RunAsync(string arguments, string input = "")
    {
        using var process = Start(arguments);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var said = await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience, TimeProvider.System);
        await process.WaitForExitAsync();
        return Normal($"{said}{Last(await errors)}exit {process.ExitCode}");
    }

    /// <summary>Lines of one that does not end by itself, up to the one that has this in it.</summary>
    /// <param name="seen">Is told every line.</param>
    public async Task<List<string>> FollowAsync(string arguments, string last, Func<string, Task>? seen = null)
    {
        using var process = Start(arguments);
        var lines = new List<string>();
        try
        {
            while (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience, TimeProvider.System)
                is { } line)
            {
                lines.Add(Normal(line));
                if (seen is not null) await seen(line);
                if (line.Contains(last, StringComparison.Ordinal)) break;
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        return lines;
    }

    private Process Start(string arguments)
    {
        var given = arguments.Split(' ').Select(argument => LeaseName().Replace(
            argument, name => leases[int.Parse(name.Groups[1].ValueSpan, CultureInfo.InvariantCulture) - 1]));
        var start = new ProcessStartInfo(
            Tools.Require("etcdctl", "etcd-client"),
            [
                $"--endpoints=127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}",
                .. user is null ? Array.Empty<string>() : [$"--user={user}"],
                .. given,
            ])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ETCDCTL_API"] = "3";
        return Process.Start(start)!; // Not null: it does not go through a shell.
    }

    // The last line is the error; before it the client may tell of its attempts.
    private static string Last(string errors) =>
        errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() is { } line
            ? ErrorText().Match(line) is { Success: true } found ? found.Value + "\n" : line + "\n"
            : "";

    private string Normal(string said)
    {
        foreach (Match granted in Granted().Matches(said))
            if (!leases.Contains(granted.Groups[1].Value)) leases.Add(granted.Groups[1].Value);
        said = Ids().Replace(said, "\"$1\":0");
        said = Remaining().Replace(said, "remaining");
        for (var at = 0; at < leases.Count; at++)
        {
            said = said.Replace(leases[at], $"lease-{at + 1}", StringComparison.Ordinal);
            var number = long.Parse(leases[at], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            said = said.Replace($"{number}", $"\"lease-{at + 1}\"", StringComparison.Ordinal);
        }
        return said;
    }

    [GeneratedRegex(@"\$(\d)", RegexOptions.None, 1000)]
    private static partial Regex LeaseName();

    [GeneratedRegex(@"\""(cluster_id|member_id|raft_term)\"":\d+", RegexOptions.None, 1000)]
    private static partial Regex Ids();

    [GeneratedRegex(@"lease ([0-9a-f]+) granted", RegexOptions.None, 1000)]
    private static partial Regex Granted();

    [GeneratedRegex(@"remaining\(\d+s\)", RegexOptions.None, 1000)]
    private static partial Regex Remaining();

    [GeneratedRegex(@"(etcdserver:.*?)(?="")", RegexOptions.None, 1000)]
    private static partial Regex ErrorText();
}

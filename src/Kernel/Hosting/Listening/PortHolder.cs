using System.Globalization;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>Finds which process listens on a port, from what Linux shows under /proc.</summary>
internal static class PortHolder
{
    private const string ListenState = "0A"; // TCP_LISTEN in the st column of /proc/net/tcp.

    /// <summary>Such as <c>process 4711 (nginx)</c>; says so when it cannot be seen.</summary>
    public static string Describe(int port)
    {
        var inodes = ListeningInodes(port);
        if (inodes.Count == 0) return "a socket that does not listen, or that has closed meanwhile";
        foreach (var process in ProcessIds())
            if (Holds(process, inodes)) return $"process {process} ({CommandOf(process)})";
        return "a process that this user may not look into";
    }

    /// <summary>
    /// Local addresses that a process listens on, as <c>hex-address:port</c> columns of /proc/net; for tests and
    /// doctor.
    /// </summary>
    public static IEnumerable<(string HexAddress, int Port, string Inode)> Listening()
    {
        foreach (var file in (string[])["/proc/net/tcp", "/proc/net/tcp6"])
        {
            if (!File.Exists(file)) continue;
            foreach (var line in File.ReadLines(file).Skip(1))
            {
                // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
                var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (columns.Length < 10 || columns[3] != ListenState) continue;
                var local = columns[1].Split(':');
                yield return (
                    local[0], int.Parse(local[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture), columns[9]);
            }
        }
    }

    /// <summary>True when the process has one of the sockets open.</summary>
    public static bool Holds(int process, IReadOnlySet<string> inodes)
    {
        try
        {
            foreach (var descriptor in Directory.EnumerateFileSystemEntries($"/proc/{process}/fd"))
            {
                var target = new FileInfo(descriptor).LinkTarget;
                if (target is not null && target.StartsWith("socket:[", StringComparison.Ordinal)
                    && inodes.Contains(target[8..^1])) return true;
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // The process ended, or belongs to somebody else: it cannot be named either way.
        }
        return false;
    }

    private static HashSet<string> ListeningInodes(int port) =>
        Listening().Where(socket => socket.Port == port).Select(socket => socket.Inode)
            .ToHashSet(StringComparer.Ordinal);

    private static IEnumerable<int> ProcessIds()
    {
        if (!Directory.Exists("/proc")) yield break;
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                yield return id;
    }

    private static string CommandOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/comm").Trim();
        }
        catch (IOException)
        {
            return "ended";
        }
    }
}

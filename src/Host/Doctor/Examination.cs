using System.Globalization;
using System.Runtime;
using Groundwork.Host.Output;
using Groundwork.Host.Processes;

namespace Groundwork.Host.Doctor;

/// <summary>How a value stands to the recommended one.</summary>
internal enum Verdict { Ok, Low, Unknown }

/// <summary>One thing that <c>doctor</c> looked at.</summary>
/// <param name="Why">What goes wrong with less.</param>
internal sealed record Finding(string Name, string Value, string Recommended, Verdict Verdict, string Why);

/// <summary>Looks at the machine that a node runs on, and changes nothing.</summary>
/// <param name="read">Reads a file of <c>/proc</c>; null when it is not there.</param>
internal sealed class Examination(Func<string, string?> read, TimeProvider time)
{
    // What is recommended, with the reason beside each finding.
    private const ulong OpenFiles = 65_536;
    private const long AcceptQueue = 4_096;
    private const long HandshakeQueue = 4_096;
    private const long OutgoingPorts = 28_000;
    private const long DiskBytes = 2L * 1024 * 1024 * 1024;
    private static readonly TimeSpan ClockError = TimeSpan.FromSeconds(1);

    /// <summary>State of the kernel's clock that says it follows no source (TIME_ERROR).</summary>
    private const int NotSynchronised = 5;

    /// <summary>File systems on which SQLite's locks and memory maps cannot be trusted.</summary>
    private static readonly string[] NetworkFileSystems =
        ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"];

    public static Examination OfMachine(TimeProvider time) => new(
        path => File.Exists(path) ? File.ReadAllText(path) : null, time);

    public IReadOnlyList<Finding> Examine(string dataDirectory) =>
    [
        ExamineOpenFiles(),
        ExamineNumber(
            "accept queue (net.core.somaxconn)", "/proc/sys/net/core/somaxconn", AcceptQueue,
            "caps every listener's backlog: connections beyond it are dropped in a burst, and callers wait a second "
            + "or more"),
        ExamineNumber(
            "handshake backlog (net.ipv4.tcp_max_syn_backlog)", "/proc/sys/net/ipv4/tcp_max_syn_backlog",
                HandshakeQueue,
            "half-open connections beyond it are dropped in a burst"),
        ExaminePortRange(),
        ExamineDisk(dataDirectory),
        ExamineFileSystem(dataDirectory),
        ExamineClock(),
        ExamineCollector(),
    ];

    private static Finding ExamineOpenFiles()
    {
        var (soft, hard) = Posix.OpenFiles();
        return new Finding(
            "open files (ulimit -n)", $"{Number(soft)} (may be raised to {Number(hard)})",
                $"{Number(OpenFiles)} or more",
            soft >= OpenFiles ? Verdict.Ok : Verdict.Low,
            "every connection is a file, two for a proxied one; without one left nobody can connect");
    }

    private Finding ExamineNumber(string name, string path, long least, string why)
    {
        var value = Read(path) is [var first, ..] ? first : (long?)null;
        return new Finding(
            name, value is { } known ? Number(known) : "unknown", $"{Number(least)} or more", Judge(value, least), why);
    }

    private Finding ExaminePortRange()
    {
        var range = Read("/proc/sys/net/ipv4/ip_local_port_range");
        var (value, verdict) = range is [var first, var last]
            ? ($"{first}-{last} ({Number(last - first + 1)} ports)", Judge(last - first + 1, OutgoingPorts))
            : ("unknown", Verdict.Unknown);
        return new Finding(
            "outgoing ports (net.ipv4.ip_local_port_range)", value, $"{Number(OutgoingPorts)} or more", verdict,
            "connections to one upstream address; a closed one keeps its port for a minute");
    }

    private static Finding ExamineDisk(string dataDirectory)
    {
        var place = Existing(dataDirectory);
        var drive = new DriveInfo(place);
        return new Finding(
            $"free disk ({place})", Progress.Size(drive.AvailableFreeSpace), $"{Progress.Size(DiskBytes)} or more",
            Judge(drive.AvailableFreeSpace, DiskBytes),
            "writes are refused with storage_full when it is used up; the log of changes grows until it is compacted");
    }

    private static Finding ExamineFileSystem(string dataDirectory)
    {
        var type = new DriveInfo(Existing(dataDirectory)).DriveFormat;
        var network = NetworkFileSystems.Contains(type, StringComparer.Ordinal);
        return new Finding(
            "file system of the data directory", type, "a local one", network ? Verdict.Low : Verdict.Ok,
            "the embedded database needs locks that work and an fsync that means it");
    }

    private Finding ExamineClock()
    {
        var (state, maxError) = Posix.ClockDiscipline();
        var error = TimeSpan.FromMicroseconds(maxError);
        var now = time.GetUtcNow().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return state == NotSynchronised
            ? Clock($"{now}, not synchronised", Verdict.Low)
            : Clock($"{now}, within {error.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s",
                error <= ClockError ? Verdict.Ok : Verdict.Low);

        static Finding Clock(string value, Verdict verdict) => new(
            "clock", value, "synchronised (NTP), within 1 s", verdict,
            "history, audit and expiry dates are read beside those of other machines; leases do not depend on it");
    }

    private static Finding ExamineCollector()
    {
        var kind = GCSettings.IsServerGC ? "server" : "workstation";
        var concurrent = GCSettings.LatencyMode is GCLatencyMode.Interactive ? "concurrent" : "not concurrent";
        var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var ok = !GCSettings.IsServerGC && GCSettings.LatencyMode is GCLatencyMode.Interactive;
        return new Finding(
            "garbage collector", $"{kind}, {concurrent}, up to {Progress.Size(limit)}", "workstation, concurrent",
            ok ? Verdict.Ok : Verdict.Low,
            "server mode takes a heap per core, and a pause that is not concurrent stops every request");
    }

    private long[]? Read(string path)
    {
        var numbers = (read(path) ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(word => long.TryParse(
                word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1)
            .ToArray();
        return numbers.Length == 0 || numbers.Contains(-1) ? null : numbers;
    }

    private static Verdict Judge(long? value, long least) =>
        value is null ? Verdict.Unknown : value >= least ? Verdict.Ok : Verdict.Low;

    // The directory may not have been made yet; its disk is that of the nearest one above.
    private static string Existing(string directory)
    {
        for (var place = directory; ; place = Path.GetDirectoryName(place) ?? "/")
            if (Directory.Exists(place)) return place;
    }

    private static string Number(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Number(ulong number) =>
        number == ulong.MaxValue ? "unlimited" : number.ToString("#,0", CultureInfo.InvariantCulture);
}

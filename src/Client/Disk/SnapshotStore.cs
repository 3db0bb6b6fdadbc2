using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Wire;

namespace Groundwork.Client.Disk;

/// <summary>
/// The snapshot's file: one line <c>groundwork-client-snapshot 1 SHA256</c>, then JSON with that hash. 0600, because it
/// holds settings that may be secret; replaced as a whole, so that a crash leaves the old or the new one. One writer.
/// </summary>
internal sealed class SnapshotStore(string path)
{
    /// <summary>More than settings and lists of a service can be; a larger file is not ours.</summary>
    private const long MaxFileBytes = 256 * 1024 * 1024;

    private const string Magic = "groundwork-client-snapshot 1 ";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    public string Path { get; } = path;

    /// <summary>The file of this service and instance; null when there is no directory for it.</summary>
    public static string? Locate(GroundworkOptions options)
    {
        var directory = options.SnapshotDirectory ?? DefaultDirectory();
        return directory is null
            ? null
            : System.IO.Path.Combine(
                directory, options.Namespace, options.ServiceName, $"{options.InstanceId ?? "default"}.snapshot");
    }

    /// <summary>The snapshot; null when there is none. A damaged one is a fault.</summary>
    public Outcome<DiskSnapshot?> Read()
    {
        try
        {
            var file = new FileInfo(Path);
            if (!file.Exists) return (DiskSnapshot?)null;
            if (file.Length > MaxFileBytes) return Damaged("it is too large");
            if (!OperatingSystem.IsWindows() && (file.UnixFileMode & WritableByOthers) != UnixFileMode.None)
                return Damaged("others than its owner may write it");
            return Parse(File.ReadAllBytes(Path));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Damaged(fault.Message);
        }
    }

    /// <summary>Replaces the file. Null, or why it could not.</summary>
    public Fault? Write(DiskSnapshot snapshot)
    {
        var next = $"{Path}.{Environment.ProcessId}.tmp";
        try
        {
            var directory = System.IO.Path.GetDirectoryName(Path)!; // Locate() always gives one.
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
            else Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
            var content = JsonSerializer.SerializeToUtf8Bytes(snapshot, DiskJson.Default.DiskSnapshot);
            var options =
                new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
            using (var file = new FileStream(next, options))
            {
                file.Write(Encoding.ASCII.GetBytes(Magic + Convert.ToHexStringLower(SHA256.HashData(content)) + "\n"));
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            File.Move(next, Path, overwrite: true);
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Drop(next);
            return new Fault(ErrorCodes.Internal, fault.Message);
        }
    }

    // Half a file on a full disk is in the way of the next.
    private static void Drop(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The fault of the write is the one to tell; the next write begins this file anew.
        }
    }

    private Outcome<DiskSnapshot?> Parse(byte[] bytes)
    {
        var end = Array.IndexOf(bytes, (byte)'\n');
        var head = end < 0 ? "" : Encoding.ASCII.GetString(bytes, 0, end);
        if (!head.StartsWith(Magic, StringComparison.Ordinal)) return Damaged("it does not begin as one");
        var content = bytes.AsSpan(end + 1);
        if (head[Magic.Length..] != Convert.ToHexStringLower(SHA256.HashData(content)))
            return Damaged("its content does not have the hash that it names");
        try
        {
            return JsonSerializer.Deserialize(content, DiskJson.Default.DiskSnapshot);
        }
        catch (JsonException fault)
        {
            return Damaged(fault.Message);
        }
    }

    private Fault Damaged(string why) => new(ErrorCodes.BackupInvalid, $"'{Path}' is no usable snapshot: {why}");

    private static string? DefaultDirectory()
    {
        // systemd's may name several directories.
        var root = Environment.GetEnvironmentVariable("STATE_DIRECTORY")?.Split(':')[0];
        if (string.IsNullOrEmpty(root)) root = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (string.IsNullOrEmpty(root))
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            if (home.Length > 0) root = System.IO.Path.Combine(home, ".local", "state");
        }
        return System.IO.Path.IsPathRooted(root) ? System.IO.Path.Combine(root, "groundwork") : null;
    }
}

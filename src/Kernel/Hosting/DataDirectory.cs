using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting;

/// <summary>The node's own directory: 0700, and locked, so that two processes never write one database.</summary>
public sealed class DataDirectory : IDisposable
{
    private const string LockName = "lock";
    private const string PidName = "pid";
    private const string SocketName = "api.sock";

    /// <summary>Bytes of a Unix socket's path without its final zero (sockaddr_un.sun_path on Linux).</summary>
    private const int MaxSocketPathBytes = 107;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream held;

    private DataDirectory(string path, FileStream held)
    {
        Path = path;
        this.held = held;
    }

    /// <summary>Absolute path.</summary>
    public string Path { get; }

    /// <summary>Bytes that this user may still write.</summary>
    public long FreeBytes => new DriveInfo(Path).AvailableFreeSpace;

    /// <summary>
    /// Where the API's socket goes: in the directory, or, when that path is too long for a socket, in a directory of
    /// our own under the one for temporary files. <c>node.json</c> says which.
    /// </summary>
    public string ApiSocket
    {
        get
        {
            var inside = Combine(SocketName);
            if (Encoding.UTF8.GetByteCount(inside) <= MaxSocketPathBytes) return inside;
            var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path)))[..16];
            return System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"groundwork-{digest}", SocketName);
        }
    }

    /// <summary>
    /// Makes the directory when it is not there, checks that it is ours alone, and locks it until disposal.
    /// </summary>
    /// <exception cref="StartupException"><c>directory_locked</c> with the holder's pid, or
    /// <c>directory_unusable</c>.</exception>
    public static DataDirectory Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            Create(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"{path} cannot be made: {refused.Message.TrimEnd('.')}", refused);
        }
        var lockFile = Lock(path);
        try
        {
            File.WriteAllText(
                System.IO.Path.Combine(path, PidName), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return new DataDirectory(path, lockFile);
        }
        catch (IOException full)
        {
            lockFile.Dispose();
            throw Unusable($"{path} cannot be written: {full.Message}", full);
        }
    }

    public string Combine(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Makes the directory that <see cref="ApiSocket"/> is in, for this user alone.</summary>
    /// <exception cref="StartupException">Somebody else has made it.</exception>
    internal string PrepareApiSocket()
    {
        var socket = ApiSocket;
        var directory = System.IO.Path.GetDirectoryName(socket) ?? Path;
        if (directory == Path) return socket;
        Directory.CreateDirectory(directory, OwnerOnly);
        // A directory for temporary files is open to all: one that is not ours alone may have been put there to listen
        // in.
        if (File.GetUnixFileMode(directory) != OwnerOnly || !IsOwn(directory))
            throw Unusable(
                $"{directory}, which is needed because {Path} is too long for a socket, belongs to somebody else");
        return socket;
    }

    /// <summary>Says that the node runs, atomically: a reader sees the old file, the new one, or none.</summary>
    internal void Write(NodeFile file)
    {
        var temporary = Combine(NodeFile.FileName + ".new");
        var options =
            new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerFile };
        using (var stream = new FileStream(temporary, options)) stream.Write(file.ToJson());
        File.Move(temporary, Combine(NodeFile.FileName), overwrite: true);
    }

    internal void RemoveNodeFile() => File.Delete(Combine(NodeFile.FileName));

    public void Dispose()
    {
        // The lock file stays: to delete it would let two processes each lock a file of that name.
        if (!held.CanWrite) return;
        File.Delete(Combine(PidName));
        held.Dispose();
    }

    private static void Create(string path)
    {
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(path, OwnerOnly);
            // The directory of `up` stands in a project; nothing in it, the root key least of all, belongs into its
            // history.
            File.WriteAllText(System.IO.Path.Combine(path, ".gitignore"), "*\n");
            return;
        }
        var mode = File.GetUnixFileMode(path);
        if ((mode & ~OwnerOnly) == UnixFileMode.None) return;
        // One that a package or a volume has made for us is empty; anything else may be shared on purpose, and is not
        // ours to close.
        if (!Directory.EnumerateFileSystemEntries(path).Any()) File.SetUnixFileMode(path, OwnerOnly);
        else
            throw Unusable(
                $"{path} can be entered by other users (mode {Convert.ToString((int)mode, 8)}); chmod 700 {path}");
    }

    private static FileStream Lock(string path)
    {
        var file = System.IO.Path.Combine(path, LockName);
        try
        {
            // FileShare.None is flock(LOCK_EX) on Linux: it goes with the process, however that ends.
            return new FileStream(file, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = OwnerFile,
            });
        }
        catch (UnauthorizedAccessException refused)
        {
            throw Unusable($"{path} belongs to another user: {refused.Message}", refused);
        }
        catch (IOException taken)
        {
            throw new StartupException(
                new Fault(ErrorCodes.DirectoryLocked, $"{path} is in use by process {HolderOf(path)}."), taken);
        }
    }

    private static string HolderOf(string path)
    {
        try
        {
            return File.ReadAllText(System.IO.Path.Combine(path, PidName)).Trim();
        }
        catch (IOException)
        {
            return "unknown, which is just starting or stopping";
        }
    }

    // Only the owner of a directory, or root, may set its mode.
    private static bool IsOwn(string directory)
    {
        try
        {
            File.SetUnixFileMode(directory, OwnerOnly);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static StartupException Unusable(string detail, Exception? cause = null) =>
        new(new Fault(ErrorCodes.DirectoryUnusable, detail + "."), cause);
}

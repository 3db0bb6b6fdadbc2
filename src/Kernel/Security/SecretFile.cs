using System.Text;

namespace Groundwork.Kernel.Security;

/// <summary>Files that only their owner may read, whole or not there at all, whenever the process dies.</summary>
internal static class SecretFile
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // Two threads of a process would write the same draft.
    private static readonly Lock Drafts = new();

    /// <summary>
    /// Creates the file with its content, on disk. False when the path is taken: it is never overwritten.
    /// </summary>
    public static bool TryCreate(string path, string content)
    {
        var full = Path.GetFullPath(path);
        lock (Drafts)
        {
            var draft = WriteDraft(full, content);
            try
            {
                // A link to the finished file: it fails when the path is taken, unlike a rename, and never shows half
                // a file.
                File.Move(draft, full, overwrite: false);
            }
            catch (IOException) when (File.Exists(full))
            {
                File.Delete(draft);
                return false;
            }
        }
        Posix.SyncDirectory(Path.GetDirectoryName(full) ?? "/");
        return true;
    }

    /// <summary>Writes the file anew, on disk, in one step.</summary>
    public static void Replace(string path, string content)
    {
        var full = Path.GetFullPath(path);
        lock (Drafts)
        {
            File.Move(WriteDraft(full, content), full, overwrite: true);
        }
        Posix.SyncDirectory(Path.GetDirectoryName(full) ?? "/");
    }

    // Named after the process alone, so that the next one of this id clears away what a death half-way left.
    private static string WriteDraft(string full, string content)
    {
        var draft = $"{full}.{Environment.ProcessId}.new";
        File.Delete(draft);
        WriteNew(draft, content);
        return draft;
    }

    private static void WriteNew(string path, string content)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, // O_EXCL: nobody has put a link or a readable file there.
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        });
        file.Write(Encoding.UTF8.GetBytes(content));
        file.Flush(flushToDisk: true);
    }
}

using System.Collections.Frozen;
using System.Security.Cryptography;
using Groundwork.Wire;
using Microsoft.Win32.SafeHandles;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>
/// Reads a folder whole, within bounds. Links are passed over, whatever they lead to; so is what is no file, and what
/// begins with a dot.
/// </summary>
internal static class FolderScan
{
    private const string Descriptors = "/proc/self/fd";

    /// <summary>What is there now, or why it cannot be taken.</summary>
    /// <param name="root">Without links.</param>
    public static Outcome<FrozenDictionary<string, SourceFile>> Read(string root, CancellationToken cancellationToken)
    {
        var files = new Dictionary<string, SourceFile>(StringComparer.Ordinal);
        var folders = new Queue<(string Path, int Depth)>([("", 0)]);
        long bytes = 0;
        var entries = 0;
        while (folders.TryDequeue(out var folder))
        {
            if (folder.Depth > SourceTree.MaxDepth)
                return TooMuch($"folders are nested deeper than {SourceTree.MaxDepth}");
            foreach (var entry in new DirectoryInfo(Path.Combine(root, folder.Path)).EnumerateFileSystemInfos())
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (++entries > SourceTree.MaxFiles * 2) return TooMuch($"more than {SourceTree.MaxFiles * 2} entries");
                if (entry.Name.StartsWith('.') || entry.LinkTarget is not null) continue;
                var path = folder.Path.Length == 0 ? entry.Name : $"{folder.Path}/{entry.Name}";
                if (entry is DirectoryInfo)
                {
                    folders.Enqueue((path, folder.Depth + 1));
                    continue;
                }
                if (ReadFile(root, path, ((FileInfo)entry).Length) is not { } file) continue;
                bytes += file.Content?.Length ?? 0;
                files[path] = file;
                if (files.Count > SourceTree.MaxFiles) return TooMuch($"more than {SourceTree.MaxFiles} files");
                if (bytes > SourceTree.MaxBytes) return TooMuch($"more than {SourceTree.MaxBytes} bytes in all files");
            }
        }
        return files.ToFrozenDictionary(StringComparer.Ordinal);
    }

    // Null: it is gone, or something else took its place between the look and the opening.
    private static SourceFile? ReadFile(string root, string path, long length)
    {
        // Pipes and devices have no length, and opening one could wait for ever.
        if (length == 0) return new SourceFile([], Digest([]));
        if (length > SourceTree.MaxFileBytes) return new SourceFile(null, $"{length}");
        try
        {
            using var handle = File.OpenHandle(Path.Combine(root, path));
            if (!IsAt(handle, Path.Combine(root, path))) return null;
            var content = new byte[Math.Min(RandomAccess.GetLength(handle), SourceTree.MaxFileBytes)];
            var read = 0;
            for (int now; read < content.Length && (now = RandomAccess.Read(handle, content.AsSpan(read), read)) > 0;)
                read += now;
            if (read < content.Length) content = content[..read];
            return new SourceFile(content, Digest(content));
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>
    /// A folder on the way may have become a link since it was listed; the kernel knows what is open.
    /// </summary>
    private static bool IsAt(SafeFileHandle handle, string path) =>
        new FileInfo($"{Descriptors}/{handle.DangerousGetHandle()}").LinkTarget == path;

    private static string Digest(ReadOnlySpan<byte> content) =>
        Convert.ToHexStringLower(SHA256.HashData(content))[..40];

    private static Fault TooMuch(string what) => new(ErrorCodes.SourceUnavailable, $"The folder is refused: {what}.");
}

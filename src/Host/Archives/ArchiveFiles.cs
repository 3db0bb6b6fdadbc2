using System.IO.Compression;
using Groundwork.Host.CommandLine;

namespace Groundwork.Host.Archives;

/// <summary>Reads and writes the files of an archive, in a folder or in a zip, within its bounds.</summary>
internal static class ArchiveFiles
{
    // The first moment that a zip can tell: equal content is equal bytes.
    private static readonly DateTimeOffset ZipTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes a new folder; one that is there must be empty.</summary>
    public static void WriteFolder(string path, IReadOnlyDictionary<string, byte[]> files)
    {
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
            throw VerbFailure.Usage($"{path} is not empty; name a new folder");
        foreach (var (name, bytes) in files)
        {
            var full = Path.Combine(path, name);
            Directory.CreateDirectory(Path.GetDirectoryName(full) ?? path);
            File.WriteAllBytes(full, bytes);
        }
    }

    public static void WriteZip(Stream output, IReadOnlyDictionary<string, byte[]> files)
    {
        using var archive = new ZipArchive(output, ZipArchiveMode.Create, leaveOpen: true);
        foreach (var (name, bytes) in files)
        {
            var entry = archive.CreateEntry(name, CompressionLevel.Optimal);
            entry.LastWriteTime = ZipTime;
            using var stream = entry.Open();
            stream.Write(bytes);
        }
    }

    public static SortedDictionary<string, byte[]> Read(string path)
    {
        try
        {
            return Directory.Exists(path) ? ReadFolder(path) : ReadZip(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw VerbFailure.Usage($"{path} cannot be read as a folder or a zip: {fault.Message}");
        }
    }

    private static SortedDictionary<string, byte[]> ReadFolder(string path)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        var budget = new Budget();
        foreach (var entry in new DirectoryInfo(path).EnumerateFileSystemInfos("*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(path, entry.FullName).Replace('\\', '/');
            // What a link leads to is not the folder's.
            if (entry.LinkTarget is not null) throw VerbFailure.Usage($"{name} is a link; an import follows none");
            if (entry is not FileInfo) continue;
            using var stream = new FileStream(entry.FullName, FileMode.Open, FileAccess.Read, FileShare.Read);
            files.Add(name, budget.Read(name, stream));
        }
        return files;
    }

    private static SortedDictionary<string, byte[]> ReadZip(string path)
    {
        using var archive = ZipFile.OpenRead(path);
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        var budget = new Budget();
        foreach (var entry in archive.Entries)
        {
            if (entry.FullName.EndsWith('/')) continue;
            if (entry.FullName.Contains('\\', StringComparison.Ordinal)
                || entry.FullName.Split('/').Any(part => part is "" or "." or ".."))
                throw VerbFailure.Usage($"the zip has an entry '{entry.FullName}', which leads out of it");
            using var stream = entry.Open();
            if (!files.TryAdd(entry.FullName, budget.Read(entry.FullName, stream)))
                throw VerbFailure.Usage($"the zip has {entry.FullName} twice");
        }
        return files;
    }

    /// <summary>What is left of the bounds; a zip's own word on its sizes is not believed.</summary>
    private sealed class Budget
    {
        private int files = SettingArchive.MaxFiles;
        private long bytes = SettingArchive.MaxBytes;

        public byte[] Read(string name, Stream stream)
        {
            if (files-- == 0) throw VerbFailure.Usage($"there are more than {SettingArchive.MaxFiles} files");
            using var content = new MemoryStream();
            var buffer = new byte[64 * 1024];
            for (var read = stream.Read(buffer); read > 0; read = stream.Read(buffer))
            {
                bytes -= read;
                if (bytes < 0)
                    throw VerbFailure.Usage(
                        $"the files are more than {SettingArchive.MaxBytes} bytes unpacked, at {name}");
                content.Write(buffer, 0, read);
            }
            return content.ToArray();
        }
    }
}

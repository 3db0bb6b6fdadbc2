using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>A file in a tree of git.</summary>
internal sealed record GitEntry(string Path, string Object, long Bytes);

/// <summary>Reads what git prints of a tree and of its files.</summary>
internal static class GitTree
{
    /// <summary>
    /// The files of <c>ls-tree -r -z -l</c>. Links (120000) and submodules (160000) are no files; names that are not
    /// UTF-8 or begin with a dot are passed over, as in a folder.
    /// </summary>
    public static Outcome<List<GitEntry>> Parse(byte[] listing)
    {
        var files = new List<GitEntry>();
        var bytes = 0L;
        foreach (var line in Encoding.UTF8.GetString(listing).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var tab = line.IndexOf('\t', StringComparison.Ordinal);
            if (tab < 0) continue;
            var head = line[..tab].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var path = line[(tab + 1)..];
            if (head is not ["100644" or "100755", "blob", var name, var size]) continue;
            if (path.Contains('\uFFFD', StringComparison.Ordinal) || path.Split('/').Any(part => part.StartsWith('.')))
                continue;
            var length = long.Parse(size, CultureInfo.InvariantCulture);
            if (length <= SourceTree.MaxFileBytes) bytes += length;
            files.Add(new GitEntry(path, name, length));
            if (files.Count > SourceTree.MaxFiles) return TooMuch($"more than {SourceTree.MaxFiles} files");
            if (bytes > SourceTree.MaxBytes) return TooMuch($"more than {SourceTree.MaxBytes} bytes in all files");
        }
        return files;
    }

    /// <summary>
    /// The files with what <c>cat-file --batch</c> printed of those that are not too large, in order.
    /// </summary>
    public static Outcome<SourceTree> Read(string commit, string label, List<GitEntry> entries, byte[] contents)
    {
        var files = new Dictionary<string, SourceFile>(StringComparer.Ordinal);
        var at = 0;
        foreach (var entry in entries)
        {
            if (entry.Bytes > SourceTree.MaxFileBytes)
            {
                files[entry.Path] = new SourceFile(null, entry.Object);
                continue;
            }
            var head = Encoding.ASCII.GetBytes($"{entry.Object} blob {entry.Bytes}\n");
            if (!contents.AsSpan(at).StartsWith(head) || contents.Length < at + head.Length + entry.Bytes + 1)
                return new Fault(ErrorCodes.SourceUnavailable, $"git has no content for {entry.Path} of {commit}.");
            at += head.Length;
            files[entry.Path] = new SourceFile(contents[at..(at + (int)entry.Bytes)], entry.Object);
            at += (int)entry.Bytes + 1;
        }
        return new SourceTree(commit, label, files.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static Fault TooMuch(string what) =>
        new(ErrorCodes.SourceUnavailable, $"The commit is refused: {what}.");
}

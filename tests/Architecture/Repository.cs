using System.Collections.Immutable;

namespace Groundwork.Tests.Architecture;

/// <summary>A text file of the repository.</summary>
/// <param name="Path">From the root, with forward slashes.</param>
internal sealed record RepositoryFile(string Path, string Text)
{
    private ImmutableArray<string> lines;

    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    public string Extension => System.IO.Path.GetExtension(Path);

    /// <summary>Without line ends; a closing line end opens no further line.</summary>
    public ImmutableArray<string> Lines => lines.IsDefault
        ? lines = [.. (Text.EndsWith('\n') ? Text[..^1] : Text).Split('\n')]
        : lines;

    public bool IsBelow(params ReadOnlySpan<string> folders)
    {
        foreach (var folder in folders)
            if (Path.StartsWith(folder, StringComparison.Ordinal)) return true;
        return false;
    }
}

/// <summary>The files that a checkout holds, without what builds and runs leave behind.</summary>
internal static class Repository
{
    /// <summary>Names of directories that .gitignore keeps out, and git's own.</summary>
    private static readonly ImmutableArray<string> LeftOut =
        [".git", "bin", "obj", "artifacts", "node_modules", "dist", ".groundwork", ".vs", ".idea", "TestResults",
            "BenchmarkDotNet.Artifacts"];

    private static readonly ImmutableArray<string> Binary =
        [".png", ".jpg", ".ico", ".woff2", ".gz", ".zip", ".db", ".bin"];

    public static string Root { get; } = FindRoot();

    /// <summary>Every file, text or not, by its path from the root.</summary>
    public static ImmutableArray<string> Paths { get; } =
        [.. Walk(new DirectoryInfo(Root)).Order(StringComparer.Ordinal)];

    /// <summary>Every text file.</summary>
    public static ImmutableArray<RepositoryFile> Files { get; } =
        [.. Paths.Where(path => !Binary.Contains(System.IO.Path.GetExtension(path))).Select(Read)];

    public static ImmutableArray<RepositoryFile> CSharp { get; } = [.. Files.Where(file => file.Extension == ".cs")];

    public static RepositoryFile Read(string path) => new(path, File.ReadAllText(System.IO.Path.Combine(Root, path)));

    private static IEnumerable<string> Walk(DirectoryInfo directory)
    {
        foreach (var file in directory.EnumerateFiles())
        {
            // In a linked work tree .git is a file.
            if (file.Name == ".git") continue;
            yield return System.IO.Path.GetRelativePath(Root, file.FullName).Replace('\\', '/');
        }
        foreach (var child in directory.EnumerateDirectories())
        {
            if (LeftOut.Contains(child.Name)) continue;
            foreach (var path in Walk(child)) yield return path;
        }
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        for (; directory is not null; directory = directory.Parent)
            if (File.Exists(System.IO.Path.Combine(directory.FullName, "Groundwork.slnx"))) return directory.FullName;
        throw new InvalidOperationException($"No Groundwork.slnx above {AppContext.BaseDirectory}");
    }
}

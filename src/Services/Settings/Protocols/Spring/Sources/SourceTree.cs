using System.Collections.Frozen;
using System.Text;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>All files of a source in one version, in memory.</summary>
/// <param name="Version">Such as a commit; null where files have versions of their own.</param>
/// <param name="Label">What this is the version of.</param>
internal sealed record SourceTree(string? Version, string Label, FrozenDictionary<string, SourceFile> Files)
{
    /// <summary>Files of one version.</summary>
    public const int MaxFiles = 10_000;

    /// <summary>Bytes of one file; as much as a setting may have.</summary>
    public const int MaxFileBytes = 1024 * 1024;

    /// <summary>Bytes of all files of one version: they are in memory.</summary>
    public const int MaxBytes = 32 * 1024 * 1024;

    /// <summary>Folders within folders.</summary>
    public const int MaxDepth = 32;

    /// <summary>Folders that have files, themselves or below.</summary>
    public FrozenSet<string> Folders { get; } = FoldersOf(Files.Keys);

    private static FrozenSet<string> FoldersOf(IEnumerable<string> paths)
    {
        var found = new HashSet<string>(StringComparer.Ordinal) { "" };
        foreach (var path in paths)
        {
            var end = path.LastIndexOf('/');
            while (end > 0 && found.Add(path[..end])) end = path.LastIndexOf('/', end - 1);
        }
        return found.ToFrozenSet(StringComparer.Ordinal);
    }
}

/// <summary>A file of a source.</summary>
/// <param name="Content">Null for one that is too large to be delivered.</param>
/// <param name="Version">Alike for alike contents.</param>
internal sealed record SourceFile(byte[]? Content, string Version)
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The text without a byte order mark; null when it is none in UTF-8, or too large.</summary>
    public string? Text()
    {
        if (Content is null) return null;
        try
        {
            var text = Strict.GetString(Content);
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}

using System.Text.RegularExpressions;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Content.Files;

/// <summary>What the files part of a route must be. Whether the folder is there is each node's affair.</summary>
internal static class FilesRules
{
    /// <summary>Characters of a path: systems have 4,096.</summary>
    public const int MaxPath = 1024;

    /// <summary>Characters of a name: systems have 255.</summary>
    public const int MaxName = 255;

    public const int MaxPattern = 256;

    public static void Check(FilesSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (!spec.Folder.StartsWith('/') || spec.Folder.Length > MaxPath
            || spec.Folder.Split('/').Any(static segment => segment is "." or ".."))
            faults.Add(new FieldFault("spec.files.folder", "must be an absolute path without . and .."));
        if (spec.Index.Length > 0 && (spec.Index.Length > MaxName || !IsName(spec.Index)))
            faults.Add(new FieldFault("spec.files.index", "must be the name of a file, without / and a dot in front"));
        if (spec.Fallback is { } fallback && (fallback.Length > MaxPath || !fallback.StartsWith('/')
            || !fallback[1..].Split('/').All(IsName)))
            faults.Add(new FieldFault("spec.files.fallback", "must be a path in the folder, such as /index.html"));
        if (spec.Immutable is { } pattern && TryCompile(pattern) is null)
            faults.Add(new FieldFault(
                "spec.files.immutable", $"must be an expression of 1 to {MaxPattern} characters, without what would "
                + "need backtracking"));
        if (spec.CacheControl.Any(static one => one is < ' ' or > '~'))
            faults.Add(new FieldFault("spec.files.cacheControl", "must be visible ASCII characters and blanks"));
    }

    /// <summary>Null for what is none, or could not be run in linear time.</summary>
    public static Regex? TryCompile(string pattern)
    {
        if (pattern.Length is 0 or > MaxPattern) return null;
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception wrong) when (wrong is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private static bool IsName(string text) =>
        text.Length > 0 && text[0] != '.' && text.All(static one => one is > ' ' and not ('/' or '\\') and not '\x7f');
}

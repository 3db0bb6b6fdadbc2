using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;

namespace Groundwork.Presentation;

/// <summary>
/// The built console, as this assembly carries it: every file compressed when it was built. Empty when it was built
/// without Node.js.
/// </summary>
public sealed class ConsoleFiles
{
    /// <summary>The page that every address of the console loads.</summary>
    public const string Page = "index.html";

    private const string Prefix = "console/";
    private const string Compressed = ".gz";

    // Their names hold a digest of their content.
    private const string Assets = "assets/";

    private readonly FrozenDictionary<string, ConsoleFile> byPath;

    internal ConsoleFiles(IEnumerable<ConsoleFile> files) =>
        byPath = files.ToFrozenDictionary(file => file.Path, StringComparer.Ordinal);

    /// <summary>What this assembly carries; read once.</summary>
    public static ConsoleFiles Carried { get; } = new(Read(typeof(ConsoleFiles).Assembly));

    /// <summary>False when it was built without Node.js.</summary>
    public bool AreThere => byPath.ContainsKey(Page);

    /// <summary>A file by its path below the console's address; null when there is none.</summary>
    public ConsoleFile? Find(string path) => byPath.GetValueOrDefault(path);

    private static IEnumerable<ConsoleFile> Read(Assembly assembly)
    {
        foreach (var name in assembly.GetManifestResourceNames())
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal)
                || !name.EndsWith(Compressed, StringComparison.Ordinal)) continue;
            using var stream = assembly.GetManifestResourceStream(name)
                ?? throw new InvalidOperationException($"The resource {name} is named and not there.");
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            var path = name[Prefix.Length..^Compressed.Length].Replace('\\', '/');
            yield return new ConsoleFile(
                path, MediaTypeOf(path), content, Convert.ToHexStringLower(SHA256.HashData(content))[..16],
                path.StartsWith(Assets, StringComparison.Ordinal));
        }
    }

    private static string MediaTypeOf(string path) => Path.GetExtension(path) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".json" => "application/json",
        ".woff2" => "font/woff2",
        _ => "application/octet-stream",
    };
}

/// <summary>A file of the console.</summary>
/// <param name="Path">Below the console's address.</param>
/// <param name="Gzipped">Its content, compressed.</param>
/// <param name="Tag">Changes with the content.</param>
/// <param name="IsImmutable">Its name changes with its content, so that it can be kept for ever.</param>
public sealed record ConsoleFile(
    string Path, string MediaType, ReadOnlyMemory<byte> Gzipped, string Tag, bool IsImmutable);

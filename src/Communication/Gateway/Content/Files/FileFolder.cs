using System.Collections.Immutable;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Groundwork.Communication.Gateway.Content.Files;

/// <summary>One folder out of which files are given, and nothing outside of it: a link that leads out leads nowhere.
/// </summary>
internal sealed class FileFolder
{
    /// <summary>Bytes of a decoded path.</summary>
    private const int MaxPathBytes = 2048;

    private readonly string root; // As the system knows it, without links, and with a slash at its end.

    private FileFolder(string root) => this.root = root;

    /// <summary>Null with the reason for a folder that this node does not give files out of.</summary>
    public static FileFolder? TryOpen(string folder, ImmutableArray<string> allowed, out string reason)
    {
        reason = "";
        if (Resolve(folder) is not { } real)
        {
            reason = "the folder does not exist";
            return null;
        }
        foreach (var one in allowed)
            if (Resolve(one) is { } permitted && (real + "/").StartsWith(permitted + "/", StringComparison.Ordinal))
                return new FileFolder(real + "/");
        reason = "the folder is in none of the fileRoots of this node";
        return null;
    }

    /// <summary>
    /// The path below the folder that a request means; null for one that means none: with a dot in front, or with what
    /// would be a slash once it is decoded.
    /// </summary>
    /// <param name="path">In its normal form, without what the route strips.</param>
    public static string? PathOf(ReadOnlySpan<byte> path)
    {
        if (path.Length > MaxPathBytes) return null;
        Span<byte> plain = stackalloc byte[MaxPathBytes];
        var length = 0;
        for (var at = path.StartsWith("/"u8) ? 1 : 0; at < path.Length; at++)
        {
            var one = path[at];
            if (one == '%')
            {
                if (at + 2 >= path.Length || !char.IsAsciiHexDigit((char)path[at + 1])
                    || !char.IsAsciiHexDigit((char)path[at + 2])) return null;
                one = (byte)((HexOf(path[at + 1]) << 4) | HexOf(path[at + 2]));
                at += 2;
                if (one == '/') return null;
            }
            if (one is (byte)'\\' or < (byte)' ' or 0x7f) return null;
            // A dot in front: hidden files, and ways up.
            if (one == '.' && (length == 0 || plain[length - 1] == '/')) return null;
            if (one == '/' && (length == 0 || plain[length - 1] == '/')) return null;
            plain[length++] = one;
        }
        try
        {
            return Strict.GetString(plain[..length]);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Opens a file; null when there is none that may be given.</summary>
    /// <param name="path">From <see cref="PathOf"/>.</param>
    /// <param name="isFolder">True when it is a folder.</param>
    public OpenedFile? TryOpen(string path, out bool isFolder)
    {
        isFolder = false;
        var full = root + path;
        SafeFileHandle? handle = null;
        try
        {
            var attributes = File.GetAttributes(full);
            if (attributes.HasFlag(FileAttributes.Directory))
            {
                isFolder = IsInside(Resolve(full));
                return null;
            }
            handle = File.OpenHandle(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            // What was opened is asked where it is, not its name: that may lead elsewhere by now.
            if (IsInside(WhereIs(handle, full)))
            {
                var opened = new OpenedFile(
                    handle, RandomAccess.GetLength(handle), File.GetLastWriteTimeUtc(handle), path);
                handle = null;
                return opened;
            }
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // There is none, or none for us: the same to who asks.
        }
        finally
        {
            handle?.Dispose();
        }
        return null;
    }

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private bool IsInside(string? real) =>
        real is not null && (real + "/").StartsWith(root, StringComparison.Ordinal);

    private static string? WhereIs(SafeFileHandle handle, string path) => OperatingSystem.IsLinux()
        ? File.ResolveLinkTarget($"/proc/self/fd/{handle.DangerousGetHandle()}", returnFinalTarget: false)?.FullName
        : Resolve(path);

    // Every part of the way, since any may be a link.
    private static string? Resolve(string path)
    {
        const int MostLinks = 40; // As the system has it.
        var links = 0;
        var parts = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var real = "";
        while (parts.TryPop(out var part))
        {
            if (part == ".") continue;
            if (part == "..")
            {
                real = real.LastIndexOf('/') is >= 0 and var up ? real[..up] : "";
                continue;
            }
            var next = $"{real}/{part}";
            FileSystemInfo found = Directory.Exists(next) ? new DirectoryInfo(next) : new FileInfo(next);
            if (!found.Exists) return null;
            if (found.LinkTarget is not { } target)
            {
                real = next;
                continue;
            }
            if (++links > MostLinks) return null;
            if (target.StartsWith('/')) real = "";
            foreach (var one in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse()) parts.Push(one);
        }
        return real;
    }

    private static int HexOf(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/// <summary>A file that is open to be given.</summary>
/// <param name="Path">Below its folder.</param>
internal sealed record OpenedFile(SafeFileHandle Handle, long Length, DateTime Written, string Path) : IDisposable
{
    public void Dispose() => Handle.Dispose();
}

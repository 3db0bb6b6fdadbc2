namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>Where a path leads when every link on the way is followed.</summary>
internal static class RealPath
{
    /// <summary>Links that are followed in all; a circle ends here, as the kernel has it.</summary>
    private const int MaxLinks = 40;

    /// <summary>The folder without links; null when there is none.</summary>
    public static string? Of(string path)
    {
        var left = new Stack<string>(Parts(path));
        var real = "/";
        for (var links = 0; left.TryPop(out var part);)
        {
            if (part == "..")
            {
                real = Path.GetDirectoryName(real) ?? "/";
                continue;
            }
            var next = Path.Combine(real, part);
            var entry = new DirectoryInfo(next);
            if (entry.LinkTarget is not { } target)
            {
                if (!entry.Exists) return null;
                real = next;
                continue;
            }
            if (++links > MaxLinks) return null;
            if (target.StartsWith('/')) real = "/";
            foreach (var step in Parts(target)) left.Push(step);
        }
        return real;
    }

    private static IEnumerable<string> Parts(string path) =>
        path.Split('/').Where(part => part is not ("" or ".")).Reverse();
}

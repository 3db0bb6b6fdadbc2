namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>Addresses of repositories: only forms that no client takes for an option or a program.</summary>
internal static class SourceAddress
{
    private const int MaxLength = 1_024;

    /// <summary>What is wrong with it, as a field fault says it; null when it is well formed.</summary>
    public static string? Explain(string address, IReadOnlyList<string> schemes, bool allowHttp)
    {
        if (address.Length > MaxLength) return $"is longer than {MaxLength} characters";
        if (address.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is '\\' or '"' or '\'' or '`'))
            return "must not have white space, quotes or backslashes";
        var mark = address.IndexOf("://", StringComparison.Ordinal);
        var scheme = mark < 0 ? "" : address[..mark];
        if (scheme == "http" && !allowHttp) return "is http, which anybody on the way can change; allowHttp allows it";
        if (!schemes.Contains(scheme) && scheme != "http")
            return $"must begin with {string.Join(", ", schemes.Select(one => one + "://"))}";
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url)) return "is no address";
        if (url.Fragment.Length > 0 || url.Query.Length > 0) return "must have neither a query nor a fragment";
        if (url.UserInfo.Contains(':', StringComparison.Ordinal))
            return "must not have a password, which is a field of its own";
        if (url.UserInfo.StartsWith('-')) return "has a user that begins with a hyphen";
        if (scheme == "file")
        {
            if (url.Host.Length > 0) return "must have no host: file:///path";
            return url.LocalPath.Split('/').Any(part => part is "." or "..") || address.Contains('%')
                || address[mark..].Contains("/../", StringComparison.Ordinal) || address.EndsWith("/..", default)
                ? "must be a path without dot segments and escapes"
                : null;
        }
        if (url.Host.Length == 0 || url.Host.StartsWith('-')) return "has no host";
        return url.AbsolutePath.Length > 1 || scheme == "svn" ? null : "has no path";
    }

    /// <summary>The folder of a <c>file://</c> address; null for others.</summary>
    public static string? FolderOf(string address) =>
        address.StartsWith("file://", StringComparison.Ordinal) ? new Uri(address).LocalPath : null;

    /// <summary>
    /// Whether a folder of this machine is one of those that the process configuration opens, or below one, with all
    /// links followed.
    /// </summary>
    public static string? ExplainFolder(string folder, IEnumerable<string> roots)
    {
        if (RealPath.Of(folder) is not { } real) return "there is no such folder";
        foreach (var root in roots)
        {
            if (RealPath.Of(root) is not { } open) continue;
            if (real == open || real.StartsWith(open.TrimEnd('/') + "/", StringComparison.Ordinal)) return null;
        }
        return "the folder is in none of the fileRoots of this node";
    }
}

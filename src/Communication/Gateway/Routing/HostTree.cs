namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// The routes of each host pattern: immutable. A tree over names from their end, in which the names that a pattern such
/// as <c>*.example.com</c> stands for are below its dot.
/// </summary>
internal sealed class HostTree
{
    private readonly RadixNode<HostRoutes> names;
    private readonly HostRoutes? any;

    private HostTree(RadixNode<HostRoutes> names, HostRoutes? any)
    {
        this.names = names;
        this.any = any;
    }

    public static HostTree Empty { get; } = new(RadixNode<HostRoutes>.Empty, null);

    /// <summary>The tree with what the edit makes of the routes of a pattern; null takes them away.</summary>
    public HostTree Edit(string pattern, Func<HostRoutes?, HostRoutes?> edit)
    {
        if (pattern == HostPattern.Any) return new HostTree(names, edit(any));
        Span<byte> key = stackalloc byte[pattern.Length];
        Reverse(System.Text.Encoding.ASCII.GetBytes(pattern), key);
        return new HostTree(names.Edit(pattern[0] == '*' ? key[..^1] : key, edit), any);
    }

    /// <summary>
    /// Searches the host's own routes, then those of patterns, the longest first, then those of any host.
    /// </summary>
    /// <param name="known">True when some route serves the host, be it another path.</param>
    public bool Search(ref RouteSearch search, out bool known)
    {
        known = any is not null;
        var host = search.View.Host;
        if (host is { Length: > 0 and <= HostPattern.MaxLength })
        {
            Span<byte> reversed = stackalloc byte[host.Length];
            Reverse(host, reversed);
            // An address has dots too and is below nothing.
            var isName = host[0] != '[' && !char.IsAsciiDigit((char)host[^1]);
            if (Search(names, reversed, isName, ref search, ref known)) return true;
        }
        return any is not null && any.Search(ref search);
    }

    private static bool Search(
        RadixNode<HostRoutes> node, scoped ReadOnlySpan<byte> rest, bool isName, ref RouteSearch search,
        scoped ref bool known)
    {
        search.Visited++;
        if (rest.IsEmpty)
        {
            if (node.Value is null) return false;
            known = true;
            return node.Value.Search(ref search);
        }
        if (node.TryStep(rest, out var child)
            && Search(child, rest[child.Label.Length..], isName, ref search, ref known)) return true;
        if (!isName || node.Value is null || node.Label[^1] != '.') return false;
        known = true;
        return node.Value.Search(ref search);
    }

    private static void Reverse(ReadOnlySpan<byte> from, Span<byte> to)
    {
        from.CopyTo(to);
        to.Reverse();
    }
}

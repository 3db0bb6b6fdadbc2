using System.Text;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>
/// The kind <c>cache-purge</c>: forgets kept answers on every node, since every node follows the same changes. Written
/// again it holds again.
/// </summary>
public static class CachePurgeKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "cache-purge";

    public static Kind<CachePurgeSpec> Kind { get; } = new(Name, CachePurgeJson.Default.CachePurgeSpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "Has every gateway forget kept answers, once, when it is written.",
        Validate = Validate,
    };

    private static void Validate(CachePurgeSpec spec, ICollection<FieldFault> faults)
    {
        if (spec is { Route: null, Host: null, Path: null, Prefix: null, Tag: null })
            faults.Add(new FieldFault("spec", "must have one of route, host, path, prefix and tag"));
        if (spec is { Path: not null, Prefix: not null })
            faults.Add(new FieldFault("spec.prefix", "has no use beside path"));
        if (spec.Path is { } path && !path.StartsWith('/'))
            faults.Add(new FieldFault("spec.path", "must begin with /"));
        if (spec.Prefix is { } prefix && !prefix.StartsWith('/'))
            faults.Add(new FieldFault("spec.prefix", "must begin with /"));
    }
}

/// <summary>Tells which kept answers a purge means.</summary>
internal static class PurgeFilter
{
    public static Func<CacheKey, StoredAnswer, bool> Of(string ns, CachePurgeSpec spec)
    {
        var scope = Encoding.UTF8.GetBytes(spec.Route is null ? $"{ns}/" : $"{ns}/{spec.Route}\n");
        var host = spec.Host is { } name ? Encoding.ASCII.GetBytes(name.ToLowerInvariant()) : null;
        var path = spec.Path is { } whole ? Encoding.UTF8.GetBytes(whole) : null;
        var prefix = spec.Prefix is { } begin ? Encoding.UTF8.GetBytes(begin) : null;
        return (key, answer) =>
        {
            if (!key.Bytes.StartsWith(scope)) return false;
            if (spec.Tag is { } tag && !answer.Tags.Contains(tag)) return false;
            // Route, scheme, authority, path, query: a line each (CacheKeyForm).
            var rest = key.Bytes;
            _ = Next(ref rest);
            _ = Next(ref rest);
            var authority = Next(ref rest);
            var asked = Next(ref rest);
            if (host is not null && !IsHost(authority, host)) return false;
            if (path is not null && !asked.SequenceEqual(path)) return false;
            return prefix is null || asked.StartsWith(prefix);
        };
    }

    private static bool IsHost(ReadOnlySpan<byte> authority, byte[] host) =>
        authority.StartsWith(host) && (authority.Length == host.Length || authority[host.Length] == ':');

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOf((byte)'\n');
        var line = rest[..end];
        rest = rest[(end + 1)..];
        return line;
    }
}

using System.Collections.Frozen;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Listening;

/// <summary>
/// Which certificate is shown for which name: one for exactly this name, else one whose wildcard stands for its first
/// label, else the default, if there is one. Of several the one that expires last. Immutable.
/// </summary>
internal sealed class CertificateSelector
{
    private readonly FrozenDictionary<string, ServedCertificate> byHost;
    private readonly ServedCertificate? fallback;
    private readonly ServedCertificate? first;

    private CertificateSelector(
        FrozenDictionary<string, ServedCertificate> byHost, ServedCertificate? fallback, ServedCertificate? first)
    {
        this.byHost = byHost;
        this.fallback = fallback;
        this.first = first;
    }

    /// <summary>Certificates that are shown.</summary>
    public int Count { get; private init; }

    /// <summary>Those, and which of them is for names that none of the others covers.</summary>
    public IReadOnlyList<(ServedCertificate Certificate, bool IsDefault)> Shown { get; private init; } = [];

    public static CertificateSelector Compile(ListenerTlsSpec? spec, CertificateTable certificates)
    {
        var all = certificates.Current;
        var shown = (spec?.Certificates is { } named
                ? named.Select(name => Find(name, all))
                : all.Values.OrderBy(one => one.Key))
            .Where(one => one?.Context is not null)
            .Select(one => one!) // Just asked.
            .ToList();
        var hosts = new Dictionary<string, ServedCertificate>(StringComparer.Ordinal);
        foreach (var one in shown)
            foreach (var host in one.Hosts)
                if (!hosts.TryGetValue(host, out var rival) || rival.NotAfter < one.NotAfter) hosts[host] = one;
        var other = spec?.Default is { } name && Find(name, all) is { Context: not null } found ? found : null;
        return new CertificateSelector(
            hosts.ToFrozenDictionary(StringComparer.Ordinal), other, shown.Count > 0 ? shown[0] : null)
        {
            Count = shown.Count + (other is null ? 0 : 1),
            Shown =
            [
                .. (other is null || shown.Contains(other) ? shown : [.. shown, other])
                    .Select(one => (one, ReferenceEquals(one, other))),
            ],
        };
    }

    /// <summary>The certificate for what a client asks for; null when there is none.</summary>
    /// <param name="serverName">In any case; empty when it asks for nothing.</param>
    /// <param name="hasOther">True when the listener has another one for names that have none here.</param>
    public ServedCertificate? Select(string serverName, bool hasOther = false)
    {
        // Who asks for nothing cannot be told that it asks for the wrong thing.
        if (serverName.Length == 0) return fallback ?? (hasOther ? null : first);
        var host = serverName.ToLowerInvariant();
        if (byHost.TryGetValue(host, out var exact)) return exact;
        return host.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
            && byHost.TryGetValue($"*{host[dot..]}", out var wildcard) ? wildcard : fallback;
    }

    private static ServedCertificate? Find(
        string name, System.Collections.Immutable.ImmutableDictionary<ResourceKey, ServedCertificate> all) =>
        CertificateKind.TryReadKey(name, Names.DefaultNamespace, out var key) ? all.GetValueOrDefault(key) : null;
}

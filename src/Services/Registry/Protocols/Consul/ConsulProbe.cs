using System.Globalization;
using System.Net;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>What one look at a service found.</summary>
internal readonly record struct ConsulFinding(CheckState State, string Output);

/// <summary>
/// Makes one look as a check says, with the registry's own prober: it connects to nothing that is ours.
/// </summary>
internal static class ConsulProbe
{
    /// <summary>Looks once; whatever goes wrong is critical.</summary>
    public static async Task<ConsulFinding> LookAsync(
        Probing.ProbeCall call, ConsulCheck check, CancellationToken cancellationToken)
    {
        var patience = TimeSpan.FromMilliseconds(Math.Clamp(check.Timeout, 1, 60_000));
        if (check.Tcp is { } tcp)
        {
            if (ReadTarget(tcp) is not var (host, port))
                return new ConsulFinding(CheckState.Critical, $"TCP {tcp}: no host:port");
            var failed = await call.ConnectAsync(host, port, patience, cancellationToken);
            return failed is null
                ? new ConsulFinding(CheckState.Passing, $"TCP connect {tcp}: Success")
                : new ConsulFinding(CheckState.Critical, $"TCP connect {tcp}: {failed}");
        }
        if (!Uri.TryCreate(check.Http, UriKind.Absolute, out var url))
            return new ConsulFinding(CheckState.Critical, $"HTTP {check.Http}: no URL");
        var method = check.Method == "HEAD" ? HttpMethod.Head : HttpMethod.Get;
        var (status, wrong) = await call.AskAsync(url, method, check.Header, patience, cancellationToken);
        if (status is not { } code) return new ConsulFinding(CheckState.Critical, $"{method} {url}: {wrong}");
        // Without what it answered: it may be an address that whoever registers could not read itself.
        var output = string.Create(CultureInfo.InvariantCulture, $"HTTP {method} {url}: {(int)code} {code}");
        return new ConsulFinding(
            (int)code is >= 200 and <= 299 ? CheckState.Passing
                : code == HttpStatusCode.TooManyRequests ? CheckState.Warning
                : CheckState.Critical,
            output);
    }

    /// <summary>Reads <c>host:port</c> and <c>[address]:port</c>; null for anything else.</summary>
    public static (string Host, int Port)? ReadTarget(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || text.Length > RegistryLimits.MaxHostLength + 8
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > ushort.MaxValue) return null;
        var host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        return Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6
            ? (host, port)
            : null;
    }
}

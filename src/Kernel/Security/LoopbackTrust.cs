using System.Net;
using Groundwork.Kernel.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Whether a call without a credential comes from a program on this machine and from nothing else. Loopback alone does
/// not say so: any web page can send a form to it, a name can be made to resolve to it, and a proxy on this machine
/// makes every caller local.
/// </summary>
internal static class LoopbackTrust
{
    // What proxies add. The prefix X-Forwarded- is looked for besides.
    private static readonly string[] ProxyHeaders = ["Forwarded", "Via", "X-Real-IP"];

    private const string ForwardedPrefix = "X-Forwarded-";

    /// <summary>Why the call is not trusted; null when it is.</summary>
    public static string? FindObjection(HttpContext context)
    {
        if (context.Listener() is not { IsLoopback: true, IsUnixSocket: false })
            return "the listener is not bound to loopback";
        if (!IsLoopback(context.Connection.RemoteIpAddress)) return "the caller is not on this machine";
        if (!IsLoopback(context.Connection.LocalIpAddress)) return "the call did not come in over loopback";
        var headers = context.Request.Headers;
        if (!IsLoopbackHost(headers.Host)) return "the Host header names something other than this machine";
        if (headers.ContainsKey("Origin")) return "the call has an Origin header: a web page made it";
        if (headers.TryGetValue("Sec-Fetch-Site", out var site) && !IsSameSite(site))
            return "the call has a Sec-Fetch-Site header: a web page of another site made it";
        foreach (var name in ProxyHeaders)
            if (headers.ContainsKey(name)) return $"the call has the header {name}: a proxy passed it on";
        foreach (var (name, _) in headers)
        {
            if (name.StartsWith(ForwardedPrefix, StringComparison.OrdinalIgnoreCase))
                return $"the call has the header {name}: a proxy passed it on";
        }
        return null;
    }

    private static bool IsLoopback(IPAddress? address) =>
        address is not null && IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    private static bool IsLoopbackHost(StringValues values) =>
        values is [{ } host] && HostString.FromUriComponent(host).Host is var name
        && (string.Equals(name, "localhost", StringComparison.OrdinalIgnoreCase) || name is "127.0.0.1" or "[::1]");

    private static bool IsSameSite(StringValues values) => values is ["same-origin" or "none"];
}

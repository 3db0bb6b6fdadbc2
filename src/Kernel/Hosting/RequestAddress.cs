using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>Where a request comes from, as audit and log write it.</summary>
public static class RequestAddress
{
    /// <summary>The peer's address, <c>uid N</c> over the Unix socket, or null when there is none.</summary>
    public static string? Of(HttpContext context)
    {
        if (context.LocalPeer() is { } peer) return $"uid {peer.UserId}";
        var address = context.Connection.RemoteIpAddress;
        return (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString();
    }
}

using Groundwork.Kernel.Hosting;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols;

/// <summary>What calls of protocols that register instances have alike.</summary>
internal static class ProtocolCalls
{
    /// <summary>Protocol, client and principal, as an instance says who registered it.</summary>
    /// <param name="client">The client's own name and version; empty when it does not say.</param>
    public static string Describe(string protocol, string client, string principal)
    {
        var shown = Clean(client);
        return shown.Length == 0 ? $"{protocol}, {principal}" : $"{protocol}, {shown}, {principal}";
    }

    /// <summary>
    /// The body up to a limit; <c>body_too_large</c>, or <c>unsupported_media_type</c> when it is compressed.
    /// </summary>
    public static async ValueTask<Outcome<byte[]>> ReadBodyAsync(HttpContext context, int maxBytes)
    {
        if (RequestBody.CheckEncoding(context.Request) is { } packed) return packed;
        var large = new Fault(ErrorCodes.BodyTooLarge, $"The body has at most {maxBytes} bytes.");
        if (context.Request.ContentLength > maxBytes) return large;
        var buffer = new byte[Math.Min(context.Request.ContentLength ?? maxBytes, maxBytes) + 1];
        var length = await context.Request.Body.ReadAtLeastAsync(
            buffer, buffer.Length, throwOnEndOfStream: false, context.RequestAborted);
        return length > maxBytes ? large : buffer[..length];
    }

    /// <summary>What a client says of itself, which may be anything, as it is shown.</summary>
    public static string Clean(string client) =>
        new([.. client.Where(c => c is >= ' ' and <= '~').Take(RegistryLimits.MaxClientLength)]);
}

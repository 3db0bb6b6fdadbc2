using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols;

/// <summary>
/// Finds out who makes a call of a protocol whose faults have a shape of their own: its endpoints look at the
/// credential themselves, so that no fault of ours is written before the protocol can word it.
/// </summary>
internal sealed class ProtocolCallers(Authenticator authenticator, RegistryAccess access)
{
    /// <summary>
    /// Finds the principal, and makes it the request's; a call without a credential is anonymous, with what the
    /// loopback rule grants it.
    /// </summary>
    /// <param name="key">
    /// An access key that the protocol carries in a field of its own; null: <c>Authorization</c>.
    /// </param>
    /// <returns>
    /// The fault of a wrong credential, which is in the audit trail then; null when the caller is known.
    /// </returns>
    public async ValueTask<Fault?> IdentifyAsync(HttpContext context, string? key = null)
    {
        var asked = string.IsNullOrEmpty(key)
            ? await authenticator.AuthenticateAsync(context)
            : authenticator.AuthenticateKey(key, RequestAddress.Of(context));
        if (!asked.TryGet(out var principal, out var fault))
        {
            access.NoteUnknown(context, fault);
            return fault;
        }
        context.Features.Set(principal);
        return null;
    }

    /// <summary>True for a caller without a credential to whom nothing is granted.</summary>
    public static bool IsNobody(HttpContext context) =>
        context.Principal() is { Roles.IsDefaultOrEmpty: true } caller && caller.Name == Principal.Anonymous.Name;

    /// <summary>Protocol, client and principal, as an instance says who registered it.</summary>
    /// <param name="client">The client's own name and version; empty when it does not say.</param>
    public static string Describe(string protocol, string client, string principal)
    {
        var shown = Clean(client);
        return shown.Length == 0 ? $"{protocol}, {principal}" : $"{protocol}, {shown}, {principal}";
    }

    /// <summary>What a client says of itself, which may be anything, as it is shown.</summary>
    public static string Clean(string client) =>
        new([.. client.Where(c => c is >= ' ' and <= '~').Take(RegistryLimits.MaxClientLength)]);

    /// <summary>
    /// A value of the route; a slash that came as %2F, which the server leaves as it is, is one again.
    /// </summary>
    public static string RouteValue(HttpContext context, string name) =>
        (context.Request.RouteValues[name] as string ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

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
}

using System.Runtime.CompilerServices;
using System.Text;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>An access key of the platform, which must have a role that the route names.</summary>
/// <param name="authenticate">The node's: the key and the address it comes from.</param>
internal sealed class KeyCredential(
    KeyAccess spec, Func<string, string?, Outcome<Principal>> authenticate,
    ConditionalWeakTable<Principal, CallerIdentity> known) : ICredential
{
    private static readonly byte[] WithheldAuthorization = "authorization"u8.ToArray();

    private readonly byte[]? header =
        spec.Header is { } field ? Encoding.ASCII.GetBytes(field.ToLowerInvariant()) : null;

    public string? Challenge => "Bearer";

    public ValueTask<Finding> VerifyAsync(Exchange exchange, double now)
    {
        if (!TryFind(exchange, out var key, out var refusal)) return new(new Finding(null, refusal));
        // A lookup and a digest: there is nothing to keep that would be cheaper and as true.
        if (!authenticate(Encoding.Latin1.GetString(key), exchange.CallerAddress?.ToString())
            .TryGet(out var principal, out _)) return new(Refusals.AccessKey);
        if (!HasRole(principal)) return new(Refusals.Role);
        exchange.WithheldFields.Add(header ?? WithheldAuthorization);
        // The principal is the same object while the key is unchanged, and so is what is made for it.
        return new(known.GetValue(principal, static one => new CallerIdentity(new Caller(null, one.Name, null))));
    }

    private bool HasRole(Principal principal)
    {
        foreach (var role in spec.Roles)
            if (principal.Roles.Contains(role)) return true;
        return false;
    }

    private bool TryFind(Exchange exchange, out ReadOnlySpan<byte> key, out Refusal? refusal)
    {
        if (header is null)
            return Bearer.TryFind(exchange, out key, out refusal) && key.StartsWith("gw_"u8);
        refusal = null;
        var from = 0;
        if (!exchange.Fields.TryGetNext(header, ref from, out key)) return false;
        if (exchange.Fields.TryGetNext(header, ref from, out _)) refusal = Refusals.TwoCredentials;
        return refusal is null;
    }
}

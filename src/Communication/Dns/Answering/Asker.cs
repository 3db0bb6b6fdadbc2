using System.Net;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>Who asks: from where, and what it may discover.</summary>
/// <param name="Address">The peer's, or what a trusted one says of the client.</param>
/// <param name="Principal">Of the protocol's credential, or the one without.</param>
/// <param name="IsLocal">A program of this machine, or somebody with a credential: others may be asked for it.</param>
internal sealed record Asker(IPAddress Address, Principal Principal, bool IsLocal)
{
    /// <summary>What the client says of itself.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Somebody whom a protocol lets ask for names of zones, and for nothing else.</summary>
    public static Asker OfZones(IPAddress client, IReadOnlyDictionary<string, string>? labels) => new(
        client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client, Anywhere, IsLocal: false) { Labels = labels };

    // Of whoever sends no credential. Over loopback the loopback rule's role counts besides, where up has made it.
    private static readonly Principal Anywhere = new("anonymous", [BuiltInRoles.AnonymousDns]);

    private static readonly Principal Local =
        new("anonymous", [BuiltInRoles.AnonymousDns, BuiltInRoles.AnonymousLoopback]);

    /// <summary>Who sends datagrams or connects without more.</summary>
    /// <param name="listener">Where it is bound: a listener of loopback cannot be reached from elsewhere.</param>
    public static Asker Of(IPAddress peer, IPAddress listener)
    {
        var plain = peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer;
        var isLocal = IPAddress.IsLoopback(plain) && IPAddress.IsLoopback(listener);
        return new Asker(plain, isLocal ? Local : Anywhere, isLocal);
    }

    /// <summary>Somebody with a principal: what everybody may discover here counts besides.</summary>
    public static Asker Of(IPAddress peer, Principal principal) => new(
        peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer,
        principal with
        {
            Roles = principal.Roles.IsDefault ? [BuiltInRoles.AnonymousDns] : principal.Roles.Add(
                BuiltInRoles.AnonymousDns),
        },
        // Loopback alone does not say so: a proxy on this machine makes every caller local.
        principal.Name != Principal.Anonymous.Name || principal.Roles.Contains(BuiltInRoles.AnonymousLoopback));

    public bool MayDiscover(Authorizer authorizer, ServiceKey service) =>
        authorizer.Allows(Principal, Verb.Discover, ServiceNames.TargetOf(service));
}

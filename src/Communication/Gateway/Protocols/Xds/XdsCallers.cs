using Google.Protobuf.WellKnownTypes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>Finds out who opens a stream, and what it may see.</summary>
internal sealed class XdsCallers(
    Authenticator authenticator, Authorizer authorizer, Action<AuditEvent> audit, TimeProvider time)
{
    /// <summary>
    /// Of the node's metadata, with an access key: clients of gRPC can send no header to whom they ask for names.
    /// </summary>
    public const string KeyField = "groundwork_access_key";

    /// <summary>Grows when what somebody may see can have changed.</summary>
    public long Generation => authorizer.Generation;

    /// <summary>By the request's credential, or without one.</summary>
    public async ValueTask<Principal> IdentifyAsync(HttpContext context) =>
        Known(context, await authenticator.AuthenticateAsync(context));

    /// <summary>The same once the client has said who it is, which counts where the request did not.</summary>
    /// <param name="metadata">Of the client's node.</param>
    public LastingCaller Enter(HttpContext context, Principal principal, Struct? metadata)
    {
        if (principal.Name == Principal.Anonymous.Name && KeyOf(metadata) is { Length: > 0 } key)
            principal = Known(context, authenticator.AuthenticateKey(key, RequestAddress.Of(context)));
        if (principal.Name == Principal.Anonymous.Name && principal.Roles.IsDefaultOrEmpty) throw XdsErrors.Nobody;
        return LastingCaller.Of(principal, authorizer, time);
    }

    public bool MayDiscover(Principal principal, ServiceKey service) =>
        authorizer.Allows(principal, Verb.Discover, ServiceNames.TargetOf(service));

    private Principal Known(HttpContext context, Outcome<Principal> found)
    {
        if (found.TryGet(out var principal, out var fault)) return principal;
        audit(new AuditEvent(
            Principal.Anonymous.Name, "refused", XdsApi.Path, fault.Error.Code, RequestAddress.Of(context),
            context.Request.Method));
        throw XdsErrors.UnknownCredential;
    }

    private static string? KeyOf(Struct? metadata) =>
        metadata is not null && metadata.Fields.TryGetValue(KeyField, out var key) ? key.StringValue : null;
}

using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Kernel.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>The part of the API by which services verify what the gateway tells them about callers.</summary>
internal sealed class IdentityKeysApi(IdentitySigner signer)
{
    public void Map(IEndpointRouteBuilder endpoints) => endpoints
        .MapGroup(Listeners.ApiRoot + "/gateway").WithTags("Gateway")
        .MapGet("/identity-keys", () => Results.Text(signer.KeySet, "application/jwk-set+json"))
        .AllowsAnyone("public keys: by them services verify Groundwork-Identity")
        .WithName("identityKeys")
        .WithSummary("The public keys of Groundwork-Identity, as a JSON Web Key Set.");
}

using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Security;

/// <summary>Who may do what, and why: of the caller itself, and of everybody.</summary>
internal sealed class AccessApi(Authorizer authorizer, TimeProvider time)
{
    /// <summary>The one endpoint that a follower has too.</summary>
    public void MapWhoAmI(IEndpointRouteBuilder endpoints) => endpoints
        .MapGroup(Listeners.ApiRoot)
        .WithTags("Security")
        .MapGet("/whoami", WhoAmI)
        .RequiresPrincipal("tells callers about themselves")
        .Describe<WhoAmI>("whoAmI", "Who the platform takes the caller for, and what it may do.");

    public void MapAccess(IEndpointRouteBuilder endpoints) => endpoints
        .MapGroup(Listeners.ApiRoot)
        .WithTags("Security")
        .MapGet("/access", ListHolders)
        .RequiresPrincipal("shows the operators and access keys that the caller may read")
        .Describe<AccessList>(
            "listAccess", "Who may do something to a resource, and by which grants of which roles.");

    private IResult WhoAmI(HttpContext context)
    {
        var principal = context.Principal();
        return Results.Json(
            new WhoAmI(principal.Name, principal.Roles, [.. authorizer.GrantsOf(principal)]), WireJson.Strict.WhoAmI);
    }

    private IResult ListHolders(HttpContext context, string verb, string kind, string? @namespace, string? name)
    {
        if (!VerbNames.TryParse(verb, out var asked))
        {
            return Problems.From(new Fault(
                ErrorCodes.BadRequest, $"'{verb}' is not a verb: {string.Join(", ", VerbNames.All)}."));
        }
        if (!Names.IsNamespace(kind))
            return Problems.From(new Fault(ErrorCodes.BadRequest, $"'{kind}' is not a kind's name."));
        if (ApiRequests.CheckNamespace(@namespace) is { } misnamed) return Problems.From(misnamed);
        var target = new ResourceKey(kind, @namespace is null or Names.NodeWide ? "" : @namespace, name ?? "");
        var caller = context.Principal();
        var holders = Readable(caller)
            .Select(one => new AccessHolder(one.Name, [.. authorizer.Explain(one, asked, target)]))
            .Where(holder => holder.Grants.Count > 0)
            .OrderBy(holder => holder.Principal, StringComparer.Ordinal);
        return Results.Json(
            new AccessList(verb, kind, @namespace ?? Names.NodeWide, name ?? "", [.. holders]),
            WireJson.Strict.AccessList);
    }

    private IEnumerable<Principal> Readable(Principal caller)
    {
        var view = authorizer.View;
        var now = time.GetUtcNow();
        var operators = view.Operators
            .Where(one => !one.Value.Disabled && MayRead(caller, SecurityKinds.Operator.Name, one.Key))
            .Select(one => one.Value.Principal);
        var keys = view.KeysByName
            .Where(one => !(one.Value.ExpiresAt <= now) && MayRead(caller, SecurityKinds.AccessKey.Name, one.Key))
            .Select(one => one.Value.Principal);
        return operators.Concat(keys);
    }

    private bool MayRead(Principal caller, string kind, string name) =>
        authorizer.Allows(caller, Verb.Read, new ResourceKey(kind, "", name));
}

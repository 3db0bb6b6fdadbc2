using System.Globalization;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Security;

/// <summary>The API of who may call: sign-ins, access keys, keys and invitations.</summary>
/// <param name="hints">What an invited node is told: where the database is.</param>
internal sealed class SecurityApi(
    NodeSecurity security, ChangeLog changes, TimeProvider time, IReadOnlyDictionary<string, string> hints)
{
    /// <summary>Bytes of a body; the largest is a name, a password and their quotes.</summary>
    private const int MaxBodyBytes = 16 * 1024;

    /// <summary>Seconds that an access key may live, when it says so: ten years.</summary>
    private const int MaxKeySeconds = 10 * 366 * 24 * 60 * 60;

    private const string Bearer = "Bearer ";

    // What a role names to grant these: kinds that no resource has.
    private static readonly ResourceKey WorkingKey = new("working-key", "", "current");
    private static readonly ResourceKey SealingKey = new("sealing-key", "", "current");
    private static readonly ResourceKey Invitation = new("node-invitation", "", "new");
    private static readonly ResourceKey AnySignIn = new("sign-in", "", "any");

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot).WithTags("Security");
        api.MapPost("/sign-in", (Delegate)SignIn)
            .AllowsAnyone("it is how one gets a credential; passwords are verified two at a time")
            .LimitsBody(MaxBodyBytes)
            .Describe<SignInAnswer>("signIn", "Signs an operator in.").Accepts<SignInRequest>("application/json");
        api.MapPost("/sign-in/refresh", (Delegate)Refresh)
            .AllowsAnyone("the refresh token is the credential")
            .LimitsBody(MaxBodyBytes)
            .Describe<SignInAnswer>("refreshSignIn", "Renews a sign-in; both tokens are replaced.")
            .Accepts<RefreshRequest>("application/json");
        api.MapPost("/sign-out", (Delegate)SignOut)
            .RequiresPrincipal("ends the sign-in that the call is made with")
            .WithName("signOut").WithSummary("Ends the sign-in that the call is made with.")
            .Produces(StatusCodes.Status204NoContent);
        api.MapGet("/sign-ins", ListSignIns)
            .RequiresPrincipal("shows one's own; others' need administer")
            .Describe<SignInList>("listSignIns", "Sign-ins in force: one's own, or an operator's.");
        api.MapDelete("/sign-ins/{signIn}", RevokeSignIn)
            .RequiresPrincipal("ends one's own; others' need administer")
            .WithName("revokeSignIn").WithSummary("Ends a sign-in.").Produces(StatusCodes.Status204NoContent);
        api.MapPost("/access-keys", (Delegate)MintKey)
            .RequiresPrincipal("authorised as a write of the access-key resource")
            .LimitsBody(MaxBodyBytes)
            .Describe<AccessKeyAnswer>("createAccessKey", "Makes an access key; its secret is shown this once.")
            .Accepts<AccessKeyRequest>("application/json");
        api.MapPost("/working-keys/rotate", (Delegate)RotateKeys)
            .Requires(Verb.Administer, _ => WorkingKey)
            .Describe<WorkingKeyAnswer>("rotateWorkingKey", "Announces a new key for secrets.");
        api.MapGet("/sealing-keys", SealingKeys)
            .RequiresPrincipal("the public halves are no secret")
            .Describe<IReadOnlyList<SealingKeyDocument>>(
                "listSealingKeys", "The keys that values in settings are sealed under, the current one first.");
        api.MapPost("/sealing-keys/rotate", (Delegate)RotateSealing)
            .Requires(Verb.Administer, _ => SealingKey)
            .Describe<WorkingKeyAnswer>("rotateSealingKey", "Announces a new key to seal values under.");
        api.MapPost("/nodes/invitations", (Delegate)Invite)
            .RequiresPrincipal("administrators on the node itself, over its Unix socket")
            .Describe<NodeInvitationAnswer>(
                "inviteNode",
                "Makes an invitation for another node; over the Unix socket alone, since it has the root key.");
    }

    private async Task<IResult> SignIn(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context.Request, WireJson.Strict.SignInRequest);
        if (!body.TryGet(out var request, out var fault)) return Problems.From(fault);
        return Secret(
            context,
            await StoredAsync(() => security.SignIns.SignInAsync(
                request.Operator, request.Password, Authenticator.AddressOf(context), context.RequestAborted)),
            answer => Results.Json(answer, WireJson.Strict.SignInAnswer));
    }

    private async Task<IResult> Refresh(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context.Request, WireJson.Strict.RefreshRequest);
        if (!body.TryGet(out var request, out var fault)) return Problems.From(fault);
        return Secret(
            context,
            await StoredAsync(() => security.SignIns.RefreshAsync(
                request.RefreshToken, Authenticator.AddressOf(context), context.RequestAborted)),
            answer => Results.Json(answer, WireJson.Strict.SignInAnswer));
    }

    private async Task<IResult> SignOut(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        var token = header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : "";
        var ended = await StoredAsync(async () => (Outcome<bool>)await security.SignIns.SignOutAsync(
            token, Authenticator.AddressOf(context), context.RequestAborted));
        if (!ended.TryGet(out var was, out var fault)) return Problems.From(fault);
        return was
            ? Results.NoContent()
            : Problems.From(new Fault(
                ErrorCodes.BadRequest,
                "The call was made with no sign-in token; an access key is revoked by deleting it."));
    }

    private async Task<IResult> ListSignIns(HttpContext context, string? @operator)
    {
        var own = PrincipalNames.OperatorOf(context.Principal());
        var wanted = @operator ?? own;
        if ((wanted is null || wanted != own)
            && security.Authorizer.Authorize(context.Principal(), Verb.Administer, AnySignIn) is { } refused)
            return Problems.From(refused);
        var found = await StoredAsync(async () =>
            (Outcome<SignInList>)await security.SignIns.ListAsync(wanted, context.RequestAborted));
        return found.TryGet(out var list, out var fault)
            ? Results.Json(list, WireJson.Strict.SignInList)
            : Problems.From(fault);
    }

    private async Task<IResult> RevokeSignIn(HttpContext context, string signIn)
    {
        var unknown = Problems.From(new Fault(ErrorCodes.NotFound, $"There is no sign-in {signIn} in force."));
        if (!Guid.TryParse(signIn, out var id)) return unknown;
        var own = PrincipalNames.OperatorOf(context.Principal());
        var isOwn = own is not null
            && (await security.SignIns.ListAsync(own, context.RequestAborted)).Items.Any(one => one.Id == id);
        if (!isOwn && security.Authorizer.Authorize(context.Principal(), Verb.Administer, AnySignIn) is { } refused)
            return Problems.From(refused);
        var revoked = await StoredAsync(async () => (Outcome<bool>)await security.SignIns.RevokeAsync(
            context.Principal().Name, id, "revoked", Authenticator.AddressOf(context), context.RequestAborted));
        if (!revoked.TryGet(out var was, out var fault)) return Problems.From(fault);
        return was ? Results.NoContent() : unknown;
    }

    private async Task<IResult> MintKey(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context.Request, WireJson.Strict.AccessKeyRequest);
        if (!body.TryGet(out var request, out var fault)) return Problems.From(fault);
        if (request.ExpiresInSeconds is < 1 or > MaxKeySeconds)
        {
            return Problems.From(new Fault(
                ErrorCodes.BadRequest, $"'expiresInSeconds' is 1 to {MaxKeySeconds}, not {request.ExpiresInSeconds}."));
        }
        DateTimeOffset? expires = null;
        if (request.ExpiresInSeconds is { } seconds) expires = time.GetUtcNow() + TimeSpan.FromSeconds(seconds);
        var (secret, hash) = AccessKeys.Mint();
        var spec = new AccessKeySpec(hash, request.Roles, null, request.Description, expires);
        var outcome = await changes.CommitAsync(
            // A key that is there is not replaced: its holder would be locked out.
            new Changeset(context.Principal(), [Change.Put(SecurityKinds.AccessKey, "", request.Name, spec, expect: 0)])
            {
                Reason = ApiRequests.Reason(context.Request),
            },
            context.RequestAborted);
        return Secret(context, outcome, commit => Results.Json(
            new AccessKeyAnswer(request.Name, secret, commit.Revision, expires),
            WireJson.Strict.AccessKeyAnswer,
            // With an approval policy the key opens nothing until a second person has released it.
            statusCode: commit.Proposal is null ? StatusCodes.Status201Created : StatusCodes.Status202Accepted));
    }

    private async Task<IResult> RotateKeys(HttpContext context)
    {
        var rotated =
            await StoredAsync(async () => (Outcome<string>)await security.Keys.RotateAsync(context.RequestAborted));
        if (!rotated.TryGet(out var id, out var fault)) return Problems.From(fault);
        security.Audit.Append(new AuditEvent(
            context.Principal().Name, "working-key-rotate", $"working-key {id}", AuditLog.Ok,
            Authenticator.AddressOf(context)));
        return Results.Json(
            new WorkingKeyAnswer(id, (int)WorkingKeys.AnnouncedFor.TotalSeconds), WireJson.Strict.WorkingKeyAnswer);
    }

    private IResult SealingKeys() =>
        Results.Json(security.Sealing.Public, WireJson.Strict.IReadOnlyListSealingKeyDocument);

    private async Task<IResult> RotateSealing(HttpContext context)
    {
        var rotated =
            await StoredAsync(async () => (Outcome<string>)await security.Sealing.RotateAsync(context.RequestAborted));
        if (!rotated.TryGet(out var id, out var fault)) return Problems.From(fault);
        security.Audit.Append(new AuditEvent(
            context.Principal().Name, "sealing-key-rotate", $"sealing-key {id}", AuditLog.Ok,
            Authenticator.AddressOf(context)));
        return Results.Json(
            new WorkingKeyAnswer(id, (int)WorkingKeys.AnnouncedFor.TotalSeconds), WireJson.Strict.WorkingKeyAnswer);
    }

    private async Task<IResult> Invite(HttpContext context)
    {
        if (context.Listener() is not { IsUnixSocket: true })
        {
            return Problems.From(new Fault(
                ErrorCodes.Forbidden,
                "An invitation carries the root key; it is made on the node itself, over its Unix socket."));
        }
        if (security.Authorizer.Authorize(context.Principal(), Verb.Administer, Invitation) is { } refused)
            return Problems.From(refused);
        return Secret(
            context,
            await StoredAsync(async () => (Outcome<NodeInvitationAnswer>)await security.InviteAsync(
                hints, context.Principal(), context.RequestAborted)),
            answer => Results.Json(answer, WireJson.Strict.NodeInvitationAnswer));
    }

    /// <summary>What the store cannot do is an answer like any other.</summary>
    internal static async Task<Outcome<T>> StoredAsync<T>(Func<Task<Outcome<T>>> call)
    {
        try
        {
            return await call();
        }
        catch (StorageException failure)
        {
            return failure.Fault;
        }
    }

    /// <summary>An answer that carries a secret, which nothing on the way may keep.</summary>
    private static IResult Secret<T>(HttpContext context, Outcome<T> outcome, Func<T, IResult> answer)
    {
        if (!outcome.TryGet(out var value, out var fault)) return Problems.From(fault);
        context.Response.Headers.CacheControl = "no-store";
        return answer(value);
    }
}

using Groundwork.Kernel.Hosting;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Security;

/// <summary>
/// How the console signs in: the page gets an access token, the browser keeps the refresh token in a cookie that no
/// script reads. What the cookie can do is here and nowhere else; every call must come from a page of this host.
/// </summary>
internal sealed class BrowserSignInApi(NodeSecurity security, string storeId)
{
    private const string Root = Listeners.ApiRoot + "/sign-in/browser";
    private const int MaxBodyBytes = 16 * 1024;

    // Cookies do not tell ports apart: two platforms on one machine must not end each other's sign-ins.
    private readonly string cookie = $"groundwork-refresh-{storeId[..Math.Min(8, storeId.Length)]}";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGroup(Listeners.ApiRoot).WithTags("Security").MapPost("/sign-in/links", (Delegate)CreateLink)
            .RequiresPrincipal("an operator for itself; for others administrators over the Unix socket")
            .LimitsBody(MaxBodyBytes)
            .Describe<SignInLinkAnswer>("createSignInLink", "Makes a link that signs in once, within ten minutes.")
            .Accepts<SignInLinkRequest>("application/json");
        var api = endpoints.MapGroup(Root).WithTags("Security");
        api.MapPost("", (Delegate)SignIn)
            .AllowsAnyone("it is how one gets a credential; from a page of this host only")
            .LimitsBody(MaxBodyBytes)
            .Describe<BrowserSignInAnswer>("signInBrowser", "Signs a browser in; the refresh token comes as a cookie.")
            .Accepts<BrowserSignInRequest>("application/json");
        api.MapPost("/refresh", (Delegate)Refresh)
            .AllowsAnyone("the cookie is the credential; from a page of this host only")
            .LimitsBody(MaxBodyBytes)
            .Describe<BrowserSignInAnswer>("refreshBrowser", "Renews a browser's sign-in by its cookie.");
        api.MapPost("/sign-out", (Delegate)SignOut)
            .AllowsAnyone("the cookie is the credential; from a page of this host only")
            .LimitsBody(MaxBodyBytes)
            .WithName("signOutBrowser").WithSummary("Ends a browser's sign-in and takes its cookie back.")
            .Produces(StatusCodes.Status204NoContent);
    }

    private async Task<IResult> CreateLink(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context.Request, WireJson.Strict.SignInLinkRequest);
        if (!body.TryGet(out var request, out var fault)) return Problems.From(fault);
        var own = PrincipalNames.OperatorOf(context.Principal());
        if ((request.Operator ?? own) is not { } person)
            return Problems.From(new Fault(ErrorCodes.BadRequest, "Say under 'operator' whom the link is for."));
        if (person != own && context.Listener() is not { IsUnixSocket: true })
        {
            return Problems.From(new Fault(
                ErrorCodes.Forbidden, "A link for another operator is made on the node itself, over its Unix socket."));
        }
        var address = Authenticator.AddressOf(context);
        var made = await security.Links.CreateAsync(
            person, context.Principal().Name, address, context.RequestAborted);
        if (!made.TryGet(out var link, out fault)) return Problems.From(fault);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(
            new SignInLinkAnswer(person, link.Secret, link.ExpiresAt), WireJson.Strict.SignInLinkAnswer);
    }

    private async Task<IResult> SignIn(HttpContext context)
    {
        if (FindForeign(context.Request) is { } foreign) return Problems.From(foreign);
        var body = await RequestBody.ReadAsync(context.Request, WireJson.Strict.BrowserSignInRequest);
        if (!body.TryGet(out var request, out var fault)) return Problems.From(fault);
        var address = Authenticator.AddressOf(context);
        return request switch
        {
            { Link: { } link, Operator: null, Password: null } => Answer(
                context, await security.SignIns.SignInByLinkAsync(link, address, context.RequestAborted)),
            { Link: null, Operator: { } name, Password: { } password } => Answer(
                context, await security.SignIns.SignInAsync(name, password, address, context.RequestAborted)),
            _ => Problems.From(new Fault(
                ErrorCodes.BadRequest, "Send either 'link', or 'operator' and 'password'.")),
        };
    }

    private async Task<IResult> Refresh(HttpContext context)
    {
        if (FindForeign(context.Request) is { } foreign) return Problems.From(foreign);
        if (context.Request.Cookies[cookie] is not { } token)
            return Problems.From(new Fault(ErrorCodes.Unauthenticated, "This browser is not signed in."));
        var renewed = await security.SignIns.RefreshAsync(
            token, Authenticator.AddressOf(context), context.RequestAborted);
        if (renewed.Fault is { Error.Status: StatusCodes.Status401Unauthorized }) Forget(context);
        return Answer(context, renewed);
    }

    private async Task<IResult> SignOut(HttpContext context)
    {
        if (FindForeign(context.Request) is { } foreign) return Problems.From(foreign);
        Forget(context);
        if (context.Request.Cookies[cookie] is { } token)
            await security.SignIns.EndAsync(token, Authenticator.AddressOf(context), context.RequestAborted);
        return Results.NoContent();
    }

    private IResult Answer(HttpContext context, Outcome<SignInAnswer> outcome)
    {
        if (!outcome.TryGet(out var answer, out var fault)) return Problems.From(fault);
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Cookies.Append(cookie, answer.RefreshToken, Options(context, SignIns.RefreshFor));
        return Results.Json(
            new BrowserSignInAnswer(answer.Principal, answer.AccessToken, answer.ExpiresInSeconds),
            WireJson.Strict.BrowserSignInAnswer);
    }

    private void Forget(HttpContext context) =>
        context.Response.Cookies.Append(cookie, "", Options(context, TimeSpan.Zero));

    // On loopback there may be no TLS. What the page was loaded over is in its Origin, behind a proxy too.
    private static CookieOptions Options(HttpContext context, TimeSpan life) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Path = Root,
        Secure = context.Listener() is not { IsLoopback: true }
            || context.Request.Headers.Origin.ToString().StartsWith("https:", StringComparison.OrdinalIgnoreCase),
        MaxAge = life,
    };

    /// <summary>
    /// A browser says with each POST which page makes it. The cookie is Strict besides, but "same site" holds for every
    /// port of a host, and for its neighbours in the domain.
    /// </summary>
    private static Fault? FindForeign(HttpRequest request)
    {
        var origin = request.Headers.Origin;
        if (origin is [{ } text] && Uri.TryCreate(text, UriKind.Absolute, out var page)
            && page.Scheme is "http" or "https"
            && string.Equals(page.Authority, Authority(request, page.Scheme), StringComparison.OrdinalIgnoreCase))
            return null;
        return new Fault(
            ErrorCodes.OriginNotAllowed,
            origin.Count == 0
                ? "The call has no Origin header; it is for pages of this host."
                : $"The page's origin is not {request.Host}.");
    }

    // An Origin leaves the scheme's own port out.
    private static string Authority(HttpRequest request, string scheme) =>
        Uri.TryCreate($"{scheme}://{request.Host}", UriKind.Absolute, out var own) ? own.Authority : "";
}

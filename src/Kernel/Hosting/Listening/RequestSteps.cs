using System.Globalization;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>One named step of a listener's pipeline.</summary>
internal sealed record RequestStep(string Name, Action<IApplicationBuilder> Use);

/// <summary>What happens to a request between the socket and its handler, in order.</summary>
internal sealed partial class RequestSteps(
    RequestGuards guards, ListenerOptions options, FaultWords words, ILogger logger)
{
    private readonly CallerCheck callers = new(guards.Authenticate);

    /// <summary>For a listener with routes.</summary>
    public IReadOnlyList<RequestStep> Routed =>
    [
        new("problem", app => app.Use(AnswerProblemsAsync)),
        new("revision", app => app.Use(StampRevisionAsync)),
        new("host", app => app.Use(CheckHostAsync)),
        new("routing", app => app.UseRouting()),
        new("unmatched", app => app.Use(AnswerUnmatchedAsync)),
        // After routing, so that an unknown path costs no password verification, and an endpoint may say how its
        // protocol carries the credential.
        new("permission", app => app.Use(CheckPermissionAsync)),
        new("body limit", app => app.Use(LimitBodyAsync)),
        new("handler", app => app.UseEndpoints(_ => { })),
    ];

    /// <summary>For a listener that is one handler. It stamps and guards what it wants itself.</summary>
    public IReadOnlyList<RequestStep> Handled(RequestDelegate handler) =>
    [
        new("problem", app => app.Use(AnswerProblemsAsync)),
        new("handler", app => app.Run(handler)),
    ];

    private async Task AnswerProblemsAsync(HttpContext context, RequestDelegate next)
    {
        Fault fault;
        try
        {
            await next(context);
            return;
        }
        catch (BadHttpRequestException bad)
        {
            fault = Problems.FromBadRequest(bad);
        }
        catch (StorageException storage)
        {
            fault = storage.Fault;
            LogStorage(storage.Fault.Error.Code, storage.Fault.Detail);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return; // The caller has gone; nobody reads an answer.
        }
        catch (IOException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception exception)
        {
            // The path carries no query: a query may hold a credential of somebody's protocol.
            LogFailure(exception, context.Request.Method, context.Request.Path);
            fault = new Fault(ErrorCodes.Internal, "The request failed inside the platform.");
        }
        if (context.Response.HasStarted)
        {
            // Half an answer must not look whole: the connection ends without the last chunk.
            context.Abort();
            return;
        }
        context.Response.Headers.Clear();
        // Clear also took what OnStarting callbacks do not set again; the revision step sets its header there.
        await words.WriteAsync(context, fault);
    }

    private Task StampRevisionAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(Stamp, (guards, context.Response));
        return next(context);

        static Task Stamp(object state)
        {
            var (guards, response) = ((RequestGuards, HttpResponse))state;
            // A handler that read at another revision, such as a follower's, has set its own.
            if (!response.Headers.ContainsKey(HeaderNames.Revision))
                response.Headers[HeaderNames.Revision] = guards.Revision().ToString(CultureInfo.InvariantCulture);
            // What we serve, settings above all, is somebody's text: no browser may take it for a page of ours.
            response.Headers.XContentTypeOptions = "nosniff";
            return Task.CompletedTask;
        }
    }

    /// <summary>
    /// A page on the web can make a name of its own resolve to 127.0.0.1 and then read our answers as its own origin
    /// (DNS rebinding). It cannot choose the Host header, so a listener on loopback answers to known names only.
    /// </summary>
    private Task CheckHostAsync(HttpContext context, RequestDelegate next)
    {
        var binding = context.Listener();
        if (binding is not { IsLoopback: true, IsUnixSocket: false }) return next(context);
        var host = context.Request.Host.Host;
        return host is "localhost" or "127.0.0.1" or "[::1]"
            || options.HostNames.Contains(host, StringComparer.OrdinalIgnoreCase)
            ? next(context)
            : Problems.WriteAsync(context, new Fault(
                ErrorCodes.HostNotAllowed,
                $"This listener is on loopback and does not answer to '{host}'; name it under "
                + $"listeners.{binding.Name}.hostNames."));
    }

    private async Task AnswerUnmatchedAsync(HttpContext context, RequestDelegate next)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<EndpointPermission>() is not null)
        {
            await next(context);
            return;
        }
        // Routing stands in endpoints of its own for a wrong method (405, with Allow) and a wrong media type (415).
        if (endpoint?.RequestDelegate is { } reject) await reject(context);
        else context.Response.StatusCode = StatusCodes.Status404NotFound;
        await words.WriteAsync(context, context.Response.StatusCode switch
        {
            StatusCodes.Status405MethodNotAllowed => new Fault(
                ErrorCodes.MethodNotAllowed,
                    $"{context.Request.Method} is not allowed here; allowed: {context.Response.Headers.Allow}."),
            StatusCodes.Status415UnsupportedMediaType => new Fault(
                ErrorCodes.UnsupportedMediaType, $"This endpoint does not read '{context.Request.ContentType}'."),
            _ => new Fault(ErrorCodes.NotFound, $"There is nothing at {context.Request.Path}."),
        });
    }

    private async Task CheckPermissionAsync(HttpContext context, RequestDelegate next)
    {
        var endpoint = context.GetEndpoint();
        var permission = endpoint?.Metadata.GetMetadata<EndpointPermission>()
            ?? throw new InvalidOperationException("An endpoint without a permission got past the start-up check.");
        if (permission is EndpointPermission.Anyone)
        {
            await next(context);
            return;
        }
        var authentication = await guards.Authenticate(context);
        if (!authentication.TryGet(out var principal, out var fault))
        {
            await RefuseAsync(context, Principal.Anonymous, TargetOf(endpoint), fault);
            return;
        }
        var target = TargetOf(endpoint);
        if (permission is EndpointPermission.Grant grant)
        {
            var key = grant.Target(context);
            target = key.ToString();
            fault = guards.Authorize(principal, grant.Verb, key);
        }
        if (IsNobody(principal) && (fault is not null || permission is EndpointPermission.AnyPrincipal))
            fault = new Fault(
                ErrorCodes.Unauthenticated, "Send an access key or a sign-in token as Authorization: Bearer.");
        if (fault is not null)
        {
            await RefuseAsync(context, principal, target, fault);
            return;
        }
        context.Features.Set(principal);
        context.Features.Set(callers);
        await next(context);
    }

    private Task RefuseAsync(HttpContext context, Principal principal, string target, Fault fault)
    {
        guards.Audit(RefusedCall.Of(context, principal, target, fault));
        return Problems.WriteAsync(context, fault);
    }

    private Task LimitBodyAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<BodyLimit>() is not { Bytes: var bytes })
            bytes = ListenerLimits.BodyBytes;
        if (context.Request.ContentLength > bytes)
            return words.WriteAsync(
                context, new Fault(ErrorCodes.BodyTooLarge, $"This endpoint reads at most {bytes} bytes."));
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = bytes;
        return next(context);
    }

    // Without a role nobody may do anything; the right answer is "sign in", not "you may not".
    private static bool IsNobody(Principal principal) =>
        principal.Name == Principal.Anonymous.Name && principal.Roles.IsDefaultOrEmpty;

    private static string TargetOf(Endpoint? endpoint) => (endpoint as RouteEndpoint)?.RoutePattern.RawText ?? "";

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed inside the platform")]
    private partial void LogFailure(Exception exception, string method, PathString path);

    [LoggerMessage(2, LogLevel.Warning, "The store refused a request with {Code}: {Detail}")]
    private partial void LogStorage(string code, string detail);
}

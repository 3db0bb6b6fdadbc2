using System.Globalization;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings.Protocols.Apollo;

/// <summary>
/// Who calls over Apollo: by its signature, or as everywhere. An application that has a secret is not read without
/// either.
/// </summary>
internal sealed class ApolloCallers(ProtocolCallers callers, ApolloApps apps, TimeProvider time)
{
    private const string Scheme = "Apollo ";

    private const string Timestamp = "Timestamp";

    public ValueTask<Outcome<Principal>> AskAsync(HttpContext context, string appId)
    {
        var signs = apps.TryFind(appId, out var app);
        var header = context.Request.Headers.Authorization.ToString();
        if (header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return ValueTask.FromResult(Verify(context, app, header[Scheme.Length..]));
        if (signs && header.Length == 0)
            return ValueTask.FromResult<Outcome<Principal>>(Refuse(context, "Unauthorized: requests are signed."));
        return callers.AskAsync(context);
    }

    private Outcome<Principal> Verify(HttpContext context, ApolloApp? app, string credential)
    {
        if (app is null) return Refuse(context, "Unauthorized: this application has no secret here.");
        var timestamp = context.Request.Headers[Timestamp].ToString();
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || Math.Abs(time.GetUtcNow().ToUnixTimeMilliseconds() - (double)milliseconds)
                > ApolloApp.MaxSkew.TotalMilliseconds)
            return Refuse(context, "RequestTimeTooSkewed");
        var colon = credential.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !app.Signs(timestamp, SentPath.Of(context), credential[(colon + 1)..].Trim()))
            return Refuse(context, "Unauthorized: the signature is wrong.");
        context.Features.Set(app.Principal);
        return app.Principal;
    }

    private Fault Refuse(HttpContext context, string detail) =>
        callers.Refuse(context, Principal.Anonymous, new Fault(ErrorCodes.Unauthenticated, detail));
}

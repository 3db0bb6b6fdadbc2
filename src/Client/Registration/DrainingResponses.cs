using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Client.Registration;

/// <summary>
/// While the instance drains, asks callers over HTTP/1.1 to give up their connections: one that is closed by its caller
/// cannot be closed under a request.
/// </summary>
internal sealed class DrainingResponses(InstanceRegistration registration) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((context, following) =>
        {
            if (registration.IsDraining && HttpProtocol.IsHttp11(context.Request.Protocol))
                context.Response.Headers.Connection = "close";
            return following(context);
        });
        next(app);
    };
}

using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>What a call to an endpoint needs. An endpoint without one of these stops the start-up.</summary>
public static class EndpointPermissions
{
    /// <summary>The verb on the resource that the request names; checked before the handler runs.</summary>
    public static TBuilder Requires<TBuilder>(this TBuilder builder, Verb verb, Func<HttpContext, ResourceKey> target)
        where TBuilder : IEndpointConventionBuilder => throw new NotSupportedException();

    /// <summary>Any signed-in principal; the handler filters or checks what it answers, as <paramref name="how"/> says.</summary>
    public static TBuilder RequiresPrincipal<TBuilder>(this TBuilder builder, string how)
        where TBuilder : IEndpointConventionBuilder => throw new NotSupportedException();

    /// <summary>Nobody in particular; says why that is right.</summary>
    public static TBuilder AllowsAnyone<TBuilder>(this TBuilder builder, string why)
        where TBuilder : IEndpointConventionBuilder => throw new NotSupportedException();

    /// <summary>Who makes this request; set by the authentication step of the listener.</summary>
    public static Principal Principal(this HttpContext context) => throw new NotSupportedException();
}

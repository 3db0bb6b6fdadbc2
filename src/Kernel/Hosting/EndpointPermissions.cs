using System.Text.Json;
using Groundwork.Kernel.Hosting.Listening;
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
        where TBuilder : IEndpointConventionBuilder => builder.With(new EndpointPermission.Grant(verb, target));

    /// <summary>
    /// Any signed-in principal; the handler filters or checks what it answers, as <paramref name="how"/> says.
    /// </summary>
    public static TBuilder RequiresPrincipal<TBuilder>(this TBuilder builder, string how)
        where TBuilder : IEndpointConventionBuilder => builder.With(new EndpointPermission.AnyPrincipal(how));

    /// <summary>Nobody in particular; says why that is right.</summary>
    public static TBuilder AllowsAnyone<TBuilder>(this TBuilder builder, string why)
        where TBuilder : IEndpointConventionBuilder => builder.With(new EndpointPermission.Anyone(why));

    /// <summary>Bytes of a request body that this endpoint reads, where the listener's limit is not right.</summary>
    public static TBuilder LimitsBody<TBuilder>(this TBuilder builder, long bytes)
        where TBuilder : IEndpointConventionBuilder => builder.With(new BodyLimit(bytes));

    /// <summary>
    /// Who makes this request; set by the authentication step of the listener.
    /// <see cref="Security.Principal.Anonymous"/> on endpoints that allow anyone: they do not look at credentials.
    /// </summary>
    public static Principal Principal(this HttpContext context) =>
        context.Features.Get<Principal>() ?? Security.Principal.Anonymous;

    private static TBuilder With<TBuilder>(this TBuilder builder, object metadata)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(metadata));
        return builder;
    }
}

/// <summary>The permission of one endpoint: one of the three cases.</summary>
public abstract record EndpointPermission
{
    private EndpointPermission()
    {
    }

    /// <summary>A verb on the resource that the request names.</summary>
    public sealed record Grant(Verb Verb, Func<HttpContext, ResourceKey> Target) : EndpointPermission
    {
        public override string ToString() => JsonNamingPolicy.KebabCaseLower.ConvertName(Verb.ToString());
    }

    /// <summary>Any principal; the handler does the rest.</summary>
    public sealed record AnyPrincipal(string How) : EndpointPermission
    {
        public override string ToString() => $"any principal: {How}";
    }

    /// <summary>No credential is looked at.</summary>
    public sealed record Anyone(string Why) : EndpointPermission
    {
        public override string ToString() => $"anyone: {Why}";
    }
}

/// <summary>Of an endpoint: the protocol of others that it belongs to.</summary>
internal sealed record ProtocolMark(string Name);

/// <summary>One operation of one listener, for the authorisation matrix and for <c>doctor</c>.</summary>
/// <param name="Method">The HTTP method; <c>*</c> when any.</param>
/// <param name="Pattern">The route, such as <c>/groundwork/v1/kinds</c>.</param>
public sealed record MappedEndpoint(string Listener, string Method, string Pattern, EndpointPermission Permission)
{
    /// <summary>The protocol of others that it belongs to, such as <c>nacos</c>; null for our own.</summary>
    public string? Protocol { get; init; }

    public override string ToString() => $"{Listener}: {Method} {Pattern}";
}

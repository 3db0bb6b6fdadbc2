using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Hosting;

/// <summary>The listeners of this node. Modules map onto one of them, by name; they open together, after all have started.</summary>
public sealed class Listeners
{
    /// <summary>Maps endpoints onto a listener. Every endpoint needs a permission (see <see cref="EndpointPermissions"/>).</summary>
    public void Map(string listener, Action<IEndpointRouteBuilder> map) => throw new NotSupportedException();

    /// <summary>Gives all requests of a listener that has no routes of its own to one handler: the gateway's.</summary>
    public void Handle(string listener, RequestDelegate handler) => throw new NotSupportedException();
}

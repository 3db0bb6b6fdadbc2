using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>
/// How the protocols on a listener word what goes wrong outside of their endpoints: an unknown path or method, a body
/// that is too large. What belongs to none is a problem document.
/// </summary>
internal sealed class FaultWords
{
    // Complete before the listener opens.
    private readonly List<(PathString Below, Func<HttpContext, Fault, Task> Write)> protocols = [];

    public void Add(PathString below, Func<HttpContext, Fault, Task> write) => protocols.Add((below, write));

    public Task WriteAsync(HttpContext context, Fault fault)
    {
        foreach (var (below, write) in protocols)
            if (context.Request.Path.StartsWithSegments(below, StringComparison.OrdinalIgnoreCase))
                return write(context, fault);
        return Problems.WriteAsync(context, fault);
    }
}

using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>Turns faults into problem details (RFC 9457) with code, trace id and fields.</summary>
public static class Problems
{
    public static IResult From(Fault fault) => throw new NotSupportedException();

    /// <summary>Writes the problem straight to a response that has not started.</summary>
    public static Task WriteAsync(HttpContext context, Fault fault) => throw new NotSupportedException();
}

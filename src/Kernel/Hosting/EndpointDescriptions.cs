using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>What the OpenAPI document says of an endpoint.</summary>
public static class EndpointDescriptions
{
    /// <summary>The operation's id, one sentence on what it does, and the type of its good answer.</summary>
    public static RouteHandlerBuilder Describe<TAnswer>(this RouteHandlerBuilder endpoint, string operationId, string summary) =>
        endpoint
            .WithName(operationId)
            .WithSummary(summary)
            .Produces<TAnswer>()
            .Produces<ProblemDocument>(StatusCodes.Status400BadRequest, "application/problem+json");
}

using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>What the OpenAPI document says of an endpoint.</summary>
public static class EndpointDescriptions
{
    /// <summary>The operation's id, one sentence on what it does, and the type of its good answer.</summary>
    public static RouteHandlerBuilder Describe<TAnswer>(
        this RouteHandlerBuilder endpoint, string operationId, string summary, string mediaType = "application/json") =>
        endpoint.WithName(operationId).WithSummary(summary).Produces<TAnswer>(StatusCodes.Status200OK, mediaType);

    /// <summary>201 when the call creates something.</summary>
    public static RouteHandlerBuilder MayCreate(this RouteHandlerBuilder endpoint) =>
        endpoint.Produces<ChangesetAnswer>(StatusCodes.Status201Created);

    /// <summary>202 when an approval policy makes a proposal of the change.</summary>
    public static RouteHandlerBuilder MayPropose(this RouteHandlerBuilder endpoint) =>
        endpoint.Produces<ChangesetAnswer>(StatusCodes.Status202Accepted);

    /// <summary>
    /// Says that the endpoint reads a header; a handler that takes it from the request does not show it.
    /// </summary>
    public static RouteHandlerBuilder ReadsHeader(this RouteHandlerBuilder endpoint, string name, string description) =>
        endpoint.WithMetadata(new ReadParameter(name, IsHeader: true, description));

    /// <summary>
    /// Says that the endpoints read a query parameter which no handler declares, such as one that a filter reads.
    /// </summary>
    public static TBuilder ReadsQuery<TBuilder>(this TBuilder endpoints, string name)
        where TBuilder : IEndpointConventionBuilder =>
            endpoints.WithMetadata(new ReadParameter(name, IsHeader: false, Description: null));

    /// <summary>The headers of a change: its condition, its id and its reason.</summary>
    public static RouteHandlerBuilder ReadsChangeHeaders(this RouteHandlerBuilder endpoint) => endpoint
        .ReadsHeader("If-Match", "The ETag that the resource must have, such as \"42\" with its quotes; else 412.")
        .ReadsHeader("If-None-Match", "* when the resource must not exist; else 412.")
        .ReadsChangesetHeaders();

    /// <summary>The headers of a changeset: its id and its reason.</summary>
    public static RouteHandlerBuilder ReadsChangesetHeaders(this RouteHandlerBuilder endpoint) => endpoint
        .ReadsHeader(HeaderNames.IdempotencyKey, "A UUID: a repeat within 24 h gets the first answer.")
        .ReadsReason();

    /// <summary>The header with the author's reason.</summary>
    public static RouteHandlerBuilder ReadsReason(this RouteHandlerBuilder endpoint) =>
        endpoint.ReadsHeader(HeaderNames.Reason, "Why, for the history; percent-encoded UTF-8.");
}

/// <summary>Endpoint metadata: a header or a query parameter that is read and that no handler declares.</summary>
internal sealed record ReadParameter(string Name, bool IsHeader, string? Description);

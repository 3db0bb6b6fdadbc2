using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Groundwork.Kernel.Documents;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>Turns faults into problem details (RFC 9457) with code, trace id and fields.</summary>
public static class Problems
{
    /// <summary>The media type of every error answer.</summary>
    public const string MediaType = "application/problem+json";

    /// <summary>
    /// What a problem's type starts with. Relative, because the reference travels with the software and not with a
    /// domain; it never changes.
    /// </summary>
    public const string TypePrefix = "/docs/errors#";

    public static IResult From(Fault fault) => new ProblemResult(fault);

    /// <summary>The document alone, for answers that carry problems inside, such as an event stream.</summary>
    public static ProblemDocument ToDocument(Fault fault, HttpContext? context = null) => new(
        TypePrefix + fault.Error.Code,
        fault.Error.Title,
        fault.Error.Status,
        fault.Detail,
        fault.Error.Code,
        Activity.Current?.TraceId.ToHexString() ?? context?.TraceIdentifier,
        fault.Fields.IsDefaultOrEmpty ? null : fault.Fields,
        // In one order, so that the same fault is the same text.
        fault.Extensions.IsEmpty ? null : fault.Extensions.ToImmutableSortedDictionary(StringComparer.Ordinal));

    /// <summary>Writes the problem straight to a response that has not started.</summary>
    public static Task WriteAsync(HttpContext context, Fault fault)
    {
        var response = context.Response;
        response.StatusCode = fault.Error.Status;
        response.ContentType = MediaType;
        response.Headers.CacheControl = "no-store";
        if (fault.Error.Status == StatusCodes.Status401Unauthorized) response.Headers.WWWAuthenticate = "Bearer";
        if (fault.RetryAfter is { } wait)
        {
            // Whole seconds, at least one: 0 would invite a busy loop.
            var seconds = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }
        var body = JsonSerializer.SerializeToUtf8Bytes(
            ToDocument(fault, context), WireJson.Strict.ProblemDocument);
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    /// <summary>
    /// What a request that the framework could not read did wrong, without the CLR names its messages carry.
    /// </summary>
    internal static Fault FromBadRequest(BadHttpRequestException bad) => bad switch
    {
        { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
            new Fault(ErrorCodes.BodyTooLarge, "The body is larger than this endpoint reads."),
        { StatusCode: StatusCodes.Status415UnsupportedMediaType } =>
            new Fault(ErrorCodes.UnsupportedMediaType, "Send the body as application/json."),
        { InnerException: JsonException json } => FromBadJson(json),
        _ => new Fault(ErrorCodes.BadRequest, Explain(bad.Message)),
    };

    /// <summary>A body that is not what the endpoint reads, in terms of the document.</summary>
    internal static Fault FromBadJson(JsonException bad)
    {
        var (path, message) = JsonFaults.Explain(bad);
        return new Fault(ErrorCodes.BadRequest, $"The body {message}{(path.Length > 0 ? $", at {path}" : "")}.")
        {
            Fields = [new FieldFault(path, message, (int?)(bad.LineNumber + 1), (int?)(bad.BytePositionInLine + 1))],
        };
    }

    // The binder says: Failed to bind parameter "Nullable<int> limit" from "abc". And: Required parameter "string
    // reason" was not provided from query string.
    private static string Explain(string message)
    {
        if (message.StartsWith("Implicit body", StringComparison.Ordinal))
            return "The request has no body, and this endpoint takes one.";
        var quoted = message.Split('"');
        if (quoted.Length < 3) return message;
        var name = quoted[1][(quoted[1].LastIndexOf(' ') + 1)..];
        if (message.StartsWith("Failed to bind parameter", StringComparison.Ordinal) && quoted.Length >= 5)
            return $"The parameter '{name}' cannot be '{quoted[3]}'.";
        return message.StartsWith("Required parameter", StringComparison.Ordinal)
            ? $"The parameter '{name}' is required."
            : message;
    }

    private sealed class ProblemResult(Fault fault) : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
    {
        public int? StatusCode => fault.Error.Status;

        public string? ContentType => MediaType;

        public Task ExecuteAsync(HttpContext httpContext) => WriteAsync(httpContext, fault);
    }
}

using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>Reads JSON bodies and says what is wrong with them in terms of the document.</summary>
public static class RequestBody
{
    /// <summary>Bodies up to this size, which nearly all are, are read in one piece where they arrived.</summary>
    private const int MaxBufferedBytes = 64 * 1024;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// The document, or <c>unsupported_media_type</c>, <c>body_too_large</c> or <c>bad_request</c> with the path.
    /// </summary>
    public static async ValueTask<Outcome<T>> ReadAsync<T>(HttpRequest request, JsonTypeInfo<T> json)
        where T : class
    {
        if (CheckHead(request) is { } unreadable) return unreadable;
        try
        {
            var value = request.ContentLength <= MaxBufferedBytes
                ? await ReadBufferedAsync(request, json)
                : await JsonSerializer.DeserializeAsync(request.Body, json, request.HttpContext.RequestAborted);
            return value is null ? new Fault(ErrorCodes.BadRequest, "The body is null.") : value;
        }
        catch (JsonException fault)
        {
            return Problems.FromBadJson(fault);
        }
        catch (BadHttpRequestException fault)
        {
            var code = fault.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? ErrorCodes.BodyTooLarge
                : ErrorCodes.BadRequest;
            return new Fault(code, fault.Message);
        }
    }

    private static async ValueTask<T?> ReadBufferedAsync<T>(HttpRequest request, JsonTypeInfo<T> json)
        where T : class
    {
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(request.HttpContext.RequestAborted);
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            try
            {
                return Deserialize(read.Buffer, json);
            }
            finally
            {
                reader.AdvanceTo(read.Buffer.End);
            }
        }
    }

    private static T? Deserialize<T>(ReadOnlySequence<byte> body, JsonTypeInfo<T> json)
        where T : class
    {
        var bytes = body.IsSingleSegment ? body.FirstSpan : body.ToArray();
        // As the reader of streams does.
        if (bytes.StartsWith(ByteOrderMark)) bytes = bytes[ByteOrderMark.Length..];
        return JsonSerializer.Deserialize(bytes, json);
    }

    private static Fault? CheckHead(HttpRequest request)
    {
        if (!request.HasJsonContentType())
        {
            return new Fault(
                ErrorCodes.UnsupportedMediaType,
                request.ContentType is { Length: > 0 } given
                    ? $"The body must be application/json, not '{given}'."
                    : "The body must be application/json; send a Content-Type.");
        }
        // Nearly all say plain application/json, and are not read any closer.
        if (request.ContentType?.Contains("charset", StringComparison.OrdinalIgnoreCase) == true
            && request.GetTypedHeaders().ContentType?.Charset is { HasValue: true } charset
            && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            && !charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase))
            return new Fault(ErrorCodes.UnsupportedMediaType, $"The body must be UTF-8, not {charset}.");
        return CheckEncoding(request);
    }

    /// <summary>No endpoint unpacks bodies: a small one could become any size.</summary>
    public static Fault? CheckEncoding(HttpRequest request) =>
        request.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding and not "identity"
            ? new Fault(
                ErrorCodes.UnsupportedMediaType,
                $"The body must not be compressed; its Content-Encoding is {encoding}.")
            : null;
}

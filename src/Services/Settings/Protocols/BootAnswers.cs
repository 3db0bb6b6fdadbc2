using System.Buffers;
using System.Text;
using System.Text.Json;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Groundwork.Services.Settings.Protocols;

/// <summary>Writes answers, and errors as Spring Boot words them, which Apollo is made with, too.</summary>
internal static class BootAnswers
{
    public const string JsonType = "application/json";

    private const string TextType = "text/plain;charset=UTF-8";

    public static Task TextAsync(HttpContext context, string text, string mediaType = TextType) =>
        WriteAsync(context, Encoding.UTF8.GetBytes(text), mediaType);

    public static Task WriteAsync(HttpContext context, byte[] body, string mediaType)
    {
        var answer = context.Response;
        answer.ContentType = mediaType;
        answer.ContentLength = body.Length;
        answer.Headers.CacheControl = "no-store";
        return answer.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    public static Task FailAsync(HttpContext context, Fault fault, TimeProvider time)
    {
        // A file that cannot be read is the server's fault to a client, as it is with Spring's own.
        var status = fault.Error == ErrorCodes.SettingSyntax
            ? StatusCodes.Status500InternalServerError
            : fault.Error.Status;
        return FailAsync(context, status, fault.Detail, time);
    }

    public static Task FailAsync(HttpContext context, int status, string message, TimeProvider time)
    {
        context.Response.StatusCode = status;
        if (status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"groundwork\"";
        return WriteAsync(context, Error(context, status, message, time), JsonType);
    }

    private static byte[] Error(HttpContext context, int status, string message, TimeProvider time)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("timestamp", time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", null));
        json.WriteNumber("status", status);
        json.WriteString("error", ReasonPhrases.GetReasonPhrase(status));
        json.WriteString("message", message);
        json.WriteString("path", context.Request.Path.Value);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}

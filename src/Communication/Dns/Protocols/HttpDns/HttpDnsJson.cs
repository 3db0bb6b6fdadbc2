using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary>A refusal in the words of Alibaba's HTTPDNS.</summary>
internal sealed record HttpDnsFault(string Code, int Status)
{
    public static readonly HttpDnsFault MissingArgument = new("MissingArgument", 400);
    public static readonly HttpDnsFault InvalidHost = new("InvalidHost", 400);
    public static readonly HttpDnsFault TooManyHosts = new("TooManyHosts", 400);
    public static readonly HttpDnsFault InvalidDuration = new("InvalidDuration", 400);
    public static readonly HttpDnsFault AccountNotExists = new("AccountNotExists", 403);
    public static readonly HttpDnsFault InvalidSignature = new("InvalidSignature", 403);
    public static readonly HttpDnsFault SignatureExpired = new("SignatureExpired", 403);
    public static readonly HttpDnsFault UnsignedInterfaceDisabled = new("UnsignedInterfaceDisabled", 403);
    public static readonly HttpDnsFault MethodNotAllowed = new("MethodNotAllowed", 405);
    public static readonly HttpDnsFault InternalError = new("InternalError", 500);
}

/// <summary>Writes the answers of Alibaba's HTTPDNS.</summary>
internal static class HttpDnsJson
{
    private const string MediaType = "application/json; charset=utf-8";

    public static Task WriteAsync(HttpContext context, HttpDnsFault fault)
    {
        context.Response.StatusCode = fault.Status;
        return WriteAsync(context, json => json.WriteString("code", fault.Code));
    }

    /// <summary>The second version's frame around what was found.</summary>
    /// <param name="content">JSON in mode 0; else what is encrypted.</param>
    public static Task WriteAsync(HttpContext context, string mode, ReadOnlyMemory<byte> content) =>
        WriteAsync(context, json =>
        {
            json.WriteString("code", "success");
            json.WriteString("mode", mode);
            if (mode == "0")
            {
                json.WritePropertyName("data");
                json.WriteRawValue(content.Span, skipInputValidation: true); // Written by us.
            }
            else json.WriteBase64String("data", content.Span);
        });

    public static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>(512);
        await using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        context.Response.ContentType = MediaType;
        context.Response.ContentLength = bytes.WrittenCount;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(bytes.WrittenMemory, context.RequestAborted);
    }
}

using System.Buffers;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Groundwork.Services.Settings.Protocols;

/// <summary>A body as it was sent, byte for byte: what is signed, or has no format.</summary>
internal static class SentBody
{
    public static async Task<Outcome<byte[]>> ReadAsync(HttpContext context, int maxBytes)
    {
        var tooLarge = new Fault(ErrorCodes.BodyTooLarge, $"The body is over {maxBytes} bytes.");
        if (context.Request.ContentLength > maxBytes) return tooLarge;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = maxBytes;
        try
        {
            while (true)
            {
                var read = await context.Request.BodyReader.ReadAsync(context.RequestAborted);
                var isOver = read.Buffer.Length > maxBytes;
                if (read.IsCompleted || isOver)
                {
                    var body = isOver ? [] : read.Buffer.ToArray();
                    context.Request.BodyReader.AdvanceTo(read.Buffer.End);
                    return isOver ? tooLarge : body;
                }
                context.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (BadHttpRequestException fault)
        {
            return fault.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? tooLarge
                : new Fault(ErrorCodes.BadRequest, fault.Message);
        }
    }
}

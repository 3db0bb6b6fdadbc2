using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// A path as it was sent. The server leaves an encoded slash encoded, and then <c>a%2Fb</c> and <c>a%252Fb</c> look
/// alike; here each segment is decoded once.
/// </summary>
public static class SentPath
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The path with its query, to the letter.</summary>
    public static string Of(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        if (target.StartsWith('/')) return target;
        // The form that proxies are sent: http://host/path.
        var authority = target.IndexOf("://", StringComparison.Ordinal);
        var path = authority < 0 ? -1 : target.IndexOf('/', authority + 3);
        return path < 0 ? "/" : target[path..];
    }

    /// <summary>The decoded segments; null when one is no text.</summary>
    /// <param name="skip">Segments in front that belong to no request.</param>
    public static string[]? Segments(HttpContext context, int skip)
    {
        var target = Of(context);
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? target : target[..query];
        var sent = path.Split('/')[(skip + 1)..];
        if (sent is [.., ""]) sent = sent[..^1];
        var decoded = new string[sent.Length];
        for (var at = 0; at < sent.Length; at++)
        {
            if (Decode(sent[at]) is not { } segment) return null;
            decoded[at] = segment;
        }
        return decoded;
    }

    /// <summary>A value of the route that is one segment, decoded once; empty when there is none.</summary>
    public static string RouteValue(HttpContext context, string name)
    {
        var value = context.Request.RouteValues[name] as string ?? "";
        // Only of a slash it does not say how it was sent.
        if (!value.Contains("%2F", StringComparison.OrdinalIgnoreCase)) return value;
        var pattern = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.PathSegments ?? [];
        var sent = Segments(context, skip: 0);
        for (var at = 0; at < pattern.Count; at++)
        {
            if (pattern[at].Parts is not [RoutePatternParameterPart part]
                || !part.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) continue;
            // Dots and empty segments are gone from what was routed: the places may not be the same.
            if (sent?.Length == pattern.Count) return sent[at];
        }
        return value.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
    }

    private static string? Decode(string segment)
    {
        if (!segment.Contains('%', StringComparison.Ordinal)) return segment;
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(segment.Length)];
        var length = 0;
        for (var at = 0; at < segment.Length; at++)
        {
            if (segment[at] != '%')
            {
                length += Encoding.UTF8.GetBytes(segment.AsSpan(at, 1), bytes.AsSpan(length));
                continue;
            }
            if (at + 2 >= segment.Length || !char.IsAsciiHexDigit(segment[at + 1])
                || !char.IsAsciiHexDigit(segment[at + 2])) return null;
            bytes[length++] = Convert.FromHexString(segment.AsSpan(at + 1, 2))[0];
            at += 2;
        }
        try
        {
            return Strict.GetString(bytes.AsSpan(0, length));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}

using System.Net.Http.Headers;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>Which headers of an instance's answer the client gets.</summary>
internal static class ResponseHeaders
{
    /// <summary>Copies status and headers.</summary>
    /// <exception cref="InvalidOperationException">A header is none that HTTP allows; nothing of the answer may be
    /// used.</exception>
    public static void Copy(HttpResponseMessage from, HttpResponse to)
    {
        to.StatusCode = (int)from.StatusCode;
        var all = from.Headers.NonValidated;
        var named = all.TryGetValues("Connection", out var connection)
            ? HopHeaders.NamedBy(ToValues(connection))
            : null;
        var chunked = all.Contains("Transfer-Encoding");
        foreach (var (name, values) in all)
            if (IsPassed(name, named)) to.Headers.Append(name, ToValues(values));
        foreach (var (name, values) in from.Content.Headers.NonValidated)
        {
            // With a transfer coding a length says nothing (RFC 9112, 6.3), and 204 must not have one.
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
                && (chunked || to.StatusCode is 204 or < 200)) continue;
            if (IsPassed(name, named)) to.Headers.Append(name, ToValues(values));
        }
    }

    /// <summary>Trailers of an answer whose body has ended, where the client can take them.</summary>
    public static void CopyTrailers(HttpResponseMessage from, HttpResponse to)
    {
        if (!to.SupportsTrailers()) return;
        foreach (var (name, values) in from.TrailingHeaders.NonValidated)
            if (!HopHeaders.IsKnown(name) && !IsFraming(name)) to.AppendTrailer(name, ToValues(values));
    }

    private static bool IsPassed(string name, HashSet<string>? named) =>
        !HopHeaders.IsKnown(name)
        && named?.Contains(name) != true
        && !name.Equals("Alt-Svc", StringComparison.OrdinalIgnoreCase) // Would lead the client past the gateway.
        && !name.Equals(HeaderNames.Revision, StringComparison.OrdinalIgnoreCase); // Ours to say.

    private static bool IsFraming(string name) =>
        name.ToLowerInvariant() is "content-length" or "host" or "authorization" or "set-cookie" or "content-encoding";

    private static StringValues ToValues(HeaderStringValues values)
    {
        if (values.Count == 1) return values.ToString();
        return values.ToArray();
    }
}

using System.Text;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.Delivery;

/// <summary>
/// What of a request tells one caller from another: its address, a header field, a cookie, a parameter of the query or
/// of the path.
/// </summary>
internal sealed class RequestKey
{
    private readonly string place;
    private readonly byte[] name;
    private readonly string parameter;

    private RequestKey(string place, string name)
    {
        this.place = place;
        this.name = Encoding.UTF8.GetBytes(place == "header" ? name.ToLowerInvariant() : name);
        parameter = name;
    }

    /// <summary>What is wrong with the text; null when nothing is.</summary>
    /// <param name="path">The route's; null where any parameter may be meant.</param>
    public static string? Explain(string text, PathPattern? path)
    {
        if (text == "client") return null;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (where, what) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        if (where is not ("header" or "cookie" or "query" or "path") || !MatchRules.IsToken(what))
            return "must be client, header:NAME, cookie:NAME, query:NAME or path:NAME";
        return where == "path" && path is not null && !path.Parameters.Contains(what)
            ? $"names {what}, which the route's path does not capture"
            : null;
    }

    /// <summary>Reads a text that nothing is wrong with.</summary>
    public static RequestKey Parse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return new RequestKey(colon < 0 ? text : text[..colon], text[(colon + 1)..]);
    }

    /// <summary>A number for the caller; null for a request without the key.</summary>
    /// <param name="path">The route's, whose parameters these are.</param>
    public ulong? Of(in RequestView view, PathParameters parameters, PathPattern path)
    {
        switch (place)
        {
            case "client":
                if (view.Client is not { } client) return null;
                Span<byte> address = stackalloc byte[16];
                client.TryWriteBytes(address, out var length); // 16 are enough for either family.
                // One household has a /64 of IPv6, and changes addresses in it.
                return KeyHash.Of(address[..Math.Min(length, 8)]);
            case "header":
                return view.Fields.TryGet(name, out var header) ? KeyHash.Of(header) : null;
            case "cookie":
                return CookieText.TryGet(view.Fields, name, out var cookie) ? KeyHash.Of(cookie) : null;
            case "query":
                var query = view.Query;
                while (QueryText.TryTakeNext(ref query, out var key, out var value))
                    if (QueryText.Means(key, name)) return KeyHash.Of(value);
                return null;
            default:
                return path.Parameters.IndexOf(parameter) is >= 0 and var index
                    ? KeyHash.Of(parameters.Of(view.Path, index))
                    : null;
        }
    }
}

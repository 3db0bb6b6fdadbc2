namespace Groundwork.Communication.Gateway.Routing;

/// <summary>Reads the value of a <c>Cookie</c> field (RFC 6265, 4.2.1).</summary>
internal static class CookieText
{
    /// <summary>Takes the next cookie off the front. A value in quotes comes without them.</summary>
    public static bool TryTakeNext(
        scoped ref ReadOnlySpan<byte> cookies, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (!cookies.IsEmpty)
        {
            var end = cookies.IndexOf((byte)';');
            var cookie = (end < 0 ? cookies : cookies[..end]).Trim(" \t"u8);
            cookies = end < 0 ? [] : cookies[(end + 1)..];
            var equals = cookie.IndexOf((byte)'=');
            if (equals <= 0) continue;
            name = cookie[..equals].TrimEnd(" \t"u8);
            value = cookie[(equals + 1)..].TrimStart(" \t"u8);
            if (value is [(byte)'"', .., (byte)'"']) value = value[1..^1];
            return true;
        }
        name = value = [];
        return false;
    }

    /// <summary>The value of the first cookie of that name.</summary>
    public static bool TryGet(IRequestFields fields, scoped ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var from = 0;
        while (fields.TryGetNext("cookie"u8, ref from, out var cookies))
            while (TryTakeNext(ref cookies, out var cookie, out value))
                if (cookie.SequenceEqual(name)) return true;
        value = [];
        return false;
    }
}

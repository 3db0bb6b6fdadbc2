using System.Net;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// What routes are matched against: a request's head as bytes, in the one form that every reader of it uses. Lives as
/// long as the bytes it looks at.
/// </summary>
internal readonly ref struct RequestView
{
    /// <summary>As <see cref="HostForm"/> gives it; empty where an old client names none.</summary>
    public required ReadOnlySpan<byte> Host { get; init; }

    /// <summary>As <see cref="Wire.Http1.PathForm"/> gives it: ASCII, begins with a slash.</summary>
    public required ReadOnlySpan<byte> Path { get; init; }

    public required ReadOnlySpan<byte> Method { get; init; }

    /// <summary>As sent, without its <c>?</c>.</summary>
    public required ReadOnlySpan<byte> Query { get; init; }

    public required IRequestFields Fields { get; init; }

    /// <summary>Who sent it, as far as is believed; an IPv4 address as such. Null when unknown.</summary>
    public required IPAddress? Client { get; init; }

    /// <summary>When it came.</summary>
    public required DateTimeOffset Time { get; init; }
}

/// <summary>The fields of a request's head. Names are given in lower case; values have no space around.</summary>
internal interface IRequestFields
{
    /// <summary>The value of the first field of that name.</summary>
    bool TryGet(scoped ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var from = 0;
        return TryGetNext(name, ref from, out value);
    }

    /// <summary>The value of the next field of that name.</summary>
    /// <param name="from">0 to begin with; what the last call left there to go on.</param>
    bool TryGetNext(scoped ReadOnlySpan<byte> name, scoped ref int from, out ReadOnlySpan<byte> value);
}

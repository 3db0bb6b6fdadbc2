using Groundwork.Communication.Gateway.Listening;

namespace Groundwork.Communication.Gateway.Exchanges;

// How the request came in, and what that bounds.
internal sealed partial class Exchange
{
    /// <summary>Of the connection that it came over; set before it is handled.</summary>
    public Arrival Arrival { get; set; } = null!;

    /// <summary>True when the caller spoke TLS, be it with us or with a proxy that is believed.</summary>
    public bool CallerIsSecure { get; set; }

    /// <summary>How many of the addresses that proxies tell are believed, the last ones.</summary>
    public int BelievedHops { get; set; }

    private TimeSpan ResponseHeadTimeout => Shorter(Route.ResponseHeadTimeout, Arrival.Plan.MaxResponseHead);

    private TimeSpan IdleTimeout => Shorter(Route.IdleTimeout, Arrival.Plan.MaxIdle);

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}

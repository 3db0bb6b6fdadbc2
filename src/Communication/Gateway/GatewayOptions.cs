using System.Collections.Immutable;
using System.Net;

namespace Groundwork.Communication.Gateway;

/// <summary>The gateway's limits, each with its reason, and the peers it believes.</summary>
public sealed record GatewayOptions
{
    /// <summary>
    /// Proxies in front of the gateway: what they say about the client (<c>X-Forwarded-*</c>) is kept and added to.
    /// </summary>
    public ImmutableArray<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>
    /// Link-local networks in which instances may be called all the same; clouds keep credentials at such addresses.
    /// </summary>
    public ImmutableArray<IPNetwork> LinkLocalUpstreams { get; init; } = [];

    /// <summary>The place this gateway runs in; null: upstreams prefer no place.</summary>
    public string? Zone { get; init; }

    /// <summary>
    /// Requests under way at one instance: ten times what a service on a few cores works on at once; more would only
    /// wait there, out of our sight.
    /// </summary>
    public int MaxRequestsPerInstance { get; init; } = 1_000;

    /// <summary>
    /// Requests under way in all, WebSockets and streams of events among them: each holds about 20 KB. Of low
    /// importance they are refused from 70 % of it, normal ones from 90 %.
    /// </summary>
    public int MaxUnderWay { get; init; } = 20_000;

    /// <summary>
    /// How long work may wait for a thread, for a whole second, before requests of low importance are refused; normal
    /// ones are at four times that. Half a second is what nobody has who is not overloaded.
    /// </summary>
    public TimeSpan MaxThreadWait { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Failures in a row after which an instance is left out: one may be chance.</summary>
    public int FailuresToEject { get; init; } = 2;

    /// <summary>How long it is left out the first time; doubled each time it fails again.</summary>
    public TimeSpan FirstEjection { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest time it is left out: a minute is what a restart takes.</summary>
    public TimeSpan LongestEjection { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// After its ejection an instance is tried with requests that could be repeated elsewhere. When none comes for so
    /// long, any request may try it.
    /// </summary>
    public TimeSpan TrialPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// An instance that owes answers and has begun none for so long is doubted before a time-out tells: most answers
    /// take a small part of it, and of the requests that wait longer one a second finds out.
    /// </summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// An idle upstream connection: shorter than servers keep theirs (Kestrel 130 s, nginx 75 s), so that we close
    /// first.
    /// </summary>
    public TimeSpan UpstreamIdle { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>An upstream connection's whole life, so that a changed DNS answer is seen.</summary>
    public TimeSpan UpstreamLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>What one client's connection may cost.</summary>
    public Serving.ClientLimits Client { get; init; } = new();

    /// <summary>KiB of an answer's head: twice what requests may have, since answers set cookies.</summary>
    public int MaxResponseHeadKilobytes { get; init; } = 64;

    /// <summary>Where a line for each request goes; null: nowhere.</summary>
    public Recording.AccessLogOptions? AccessLog { get; init; }

    /// <summary>By which fields a trace is read, the first that is there, and passed on, all of them.</summary>
    public Exchanges.TraceHeaders TraceHeaders { get; init; } = Exchanges.TraceHeaders.W3C;

    /// <summary>Times that a request may have passed a gateway of ours: more is a loop.</summary>
    public int MaxHops { get; init; } = 10;
}

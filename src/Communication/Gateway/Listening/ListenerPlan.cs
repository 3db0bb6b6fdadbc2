using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Callers;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;

namespace Groundwork.Communication.Gateway.Listening;

/// <summary>A listener as the request path needs it: immutable, nothing left to parse.</summary>
internal sealed record ListenerPlan(CallerRules Caller, ClientLimits Limits)
{
    /// <summary>Null where no TLS is spoken.</summary>
    public TlsRules? Tls { get; init; }

    /// <summary>What all requests pass, before what their route wants.</summary>
    public ImmutableArray<IRequestStep> Steps { get; init; } = [];

    /// <summary>Null: as many as the server takes.</summary>
    public int? MaxConnections { get; init; }

    public int? MaxConnectionsPerAddress { get; init; }

    /// <summary>The longest that a route may wait for the head of an answer.</summary>
    public TimeSpan MaxResponseHead { get; init; } = TimeSpan.MaxValue;

    /// <summary>The longest that a route may wait between two pieces of an answer.</summary>
    public TimeSpan MaxIdle { get; init; } = TimeSpan.MaxValue;

    public static ListenerPlan Compile(GatewayListenerSpec? spec, NetworkList proxies, ClientLimits limits)
    {
        var bounds = spec?.Bounds ?? new ListenerBoundsSpec();
        return new ListenerPlan(
            CallerRules.Compile(spec?.Caller, proxies),
            limits with
            {
                BodyBytes = Math.Min(bounds.BodyBytes ?? long.MaxValue, limits.BodyBytes),
                HeadTimeout = Milliseconds(bounds.HeadMs) ?? limits.HeadTimeout,
                KeepAlive = Milliseconds(bounds.KeepAliveMs) ?? limits.KeepAlive,
            })
        {
            MaxConnections = bounds.MaxConnections,
            MaxConnectionsPerAddress = bounds.MaxConnectionsPerAddress,
            MaxResponseHead = Milliseconds(bounds.ResponseHeadMs) ?? TimeSpan.MaxValue,
            MaxIdle = Milliseconds(bounds.IdleMs) ?? TimeSpan.MaxValue,
        };
    }

    private static TimeSpan? Milliseconds(int? value) =>
        value is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;
}

/// <summary>One listener while the gateway runs: its plan changes, its connections are counted.</summary>
internal sealed class ListenerState(string name, ListenerPlan plan)
{
    private ListenerPlan current = plan;

    /// <summary>As the process configuration has it.</summary>
    public string Name => name;

    public ListenerPlan Plan
    {
        get => Volatile.Read(ref current);
        set => Volatile.Write(ref current, value);
    }

    public ConnectionCount Connections { get; } = new();
}

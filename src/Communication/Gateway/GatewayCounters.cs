using System.Diagnostics.Metrics;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway;

/// <summary>
/// What the gateway counts instead of a log line per request. Tags are routes, status classes and error codes: as many
/// as are configured, never what a client sends. For listeners inside the process; <c>/metrics</c> shows the same, and more,
/// from <see cref="Recording.TrafficCounters"/>, which cost less.
/// </summary>
internal sealed class GatewayCounters : IDisposable
{
    public const string MeterName = "Groundwork.Gateway";

    private readonly Meter meter = new(MeterName);
    private readonly Counter<long> answered;
    private readonly Counter<long> refused;
    private readonly Counter<long> abandoned;

    public GatewayCounters()
    {
        answered = meter.CreateCounter<long>(
            "gateway.answers", null, "Answers of services, by route and status class.",
            [IMetricsSource.ShownByItself]);
        refused = meter.CreateCounter<long>(
            "gateway.refusals", null, "Answers of the gateway itself, by route and code.",
            [IMetricsSource.ShownByItself]);
        abandoned = meter.CreateCounter<long>(
            "gateway.abandoned", null, "Requests whose client went away, by route.",
            [IMetricsSource.ShownByItself]);
    }

    // Nobody listens to them as a rule, and a tag is an object.
    public void Answered(Route route, int status)
    {
        if (answered.Enabled) answered.Add(1, Tag(route), new("class", status / 100));
    }

    public void Refused(Route? route, ErrorCode code) => refused.Add(1, Tag(route), new("code", code.Code));

    public void ClientGone(Route route) => abandoned.Add(1, Tag(route));

    public void Dispose() => meter.Dispose();

    private static KeyValuePair<string, object?> Tag(Route? route) => new("route", route?.Name ?? "");
}

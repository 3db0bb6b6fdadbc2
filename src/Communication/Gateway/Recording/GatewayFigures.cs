using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Hosting.Metering;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// What <c>/metrics</c> says of the gateway. Names and buckets are a promise: dashboards are built on them.
/// </summary>
internal sealed class GatewayFigures(
    TrafficCounters traffic, RouteTableView routes, InstanceChooser chooser, InstancePools pools,
    RequestsUnderWay underWay, ExchangeRecorder recorder) : IMetricsSource
{
    /// <summary>Instances that are shown one by one.</summary>
    private const int MaxInstances = 1_000;

    public void Write(MetricsText text)
    {
        traffic.Retain(routes.Current);
        var sets = chooser.Sets;
        traffic.RetainUpstreams(sets.Select(set => set.Name).ToHashSet(StringComparer.Ordinal));
        WriteRoutes(text, [.. traffic.Routes()]);
        WriteUpstreams(text, [.. traffic.Upstreams()]);
        WriteInstances(
            text, [.. sets.SelectMany(set => set.Upstreams.Select(one => (set.Name, one))).Take(MaxInstances)]);
        text.Family("groundwork_gateway_requests_under_way", "gauge", "Requests whose answer has not ended.");
        text.Sample(underWay.Count);
        text.Family("groundwork_gateway_connections", "gauge", "Connections of clients that speak HTTP/1.");
        text.Sample(traffic.Connections);
        text.Family("groundwork_gateway_routes", "gauge", "Routes in force.");
        text.Sample(routes.Current.Count);
        recorder.Write(text);
    }

    private static void WriteRoutes(MetricsText text, IReadOnlyList<RouteReading> all)
    {
        text.Family(
            "groundwork_gateway_requests_total", "counter",
            "Requests that are over, by route, class of status and code of the fault.");
        foreach (var route in all)
            foreach (var (kind, code, count) in route.Answers)
                text.Sample(count, ("route", route.Name), ("class", $"{kind}xx"), ("code", code));
        text.Family(
            "groundwork_gateway_request_duration_seconds", "histogram",
            "From the last byte of the request's head to the last of the answer.");
        foreach (var route in all)
            text.Histogram(LatencyBuckets.Seconds, route.Durations, route.Seconds, ("route", route.Name));
        text.Family("groundwork_gateway_request_bytes_total", "counter", "Bytes of the bodies of requests.");
        foreach (var route in all) text.Sample(route.BytesIn, ("route", route.Name));
        text.Family("groundwork_gateway_response_bytes_total", "counter", "Bytes of the bodies of answers.");
        foreach (var route in all) text.Sample(route.BytesOut, ("route", route.Name));
        text.Family("groundwork_gateway_attempts_total", "counter", "Tries at instances.");
        foreach (var route in all) text.Sample(route.Attempts, ("route", route.Name));
        text.Family("groundwork_gateway_retries_total", "counter", "Tries after the first of a request.");
        foreach (var route in all) text.Sample(route.Retries, ("route", route.Name));
    }

    private static void WriteUpstreams(MetricsText text, IReadOnlyList<UpstreamReading> all)
    {
        text.Family(
            "groundwork_gateway_upstream_requests_total", "counter", "Calls to instances that have brought an answer "
            + "or failed.");
        foreach (var upstream in all) text.Sample(upstream.Total, ("upstream", upstream.Name));
        text.Family(
            "groundwork_gateway_upstream_failures_total", "counter", "Calls that brought no answer, by the reason.");
        foreach (var upstream in all)
            for (var failure = CallFailure.None + 1; (int)failure < upstream.Calls.Length; failure++)
                if (upstream.Calls[(int)failure] is > 0 and var count)
                    text.Sample(count, ("upstream", upstream.Name), ("reason", ReasonOf(failure)));
        text.Family(
            "groundwork_gateway_upstream_latency_seconds", "histogram",
            "From the call to the head of the answer, of calls that brought one.");
        foreach (var upstream in all)
            text.Histogram(
                LatencyBuckets.Seconds, upstream.Latencies, upstream.Seconds, ("upstream", upstream.Name));
    }

    private void WriteInstances(MetricsText text, IReadOnlyList<(string Upstream, Upstream Instance)> all)
    {
        text.Family(
            "groundwork_gateway_instance_ejected", "gauge", "1 while an instance is left out because calls failed.");
        foreach (var (name, one) in all)
            text.Sample(one.Ejection.IsOut ? 1 : 0, ("upstream", name), ("instance", one.Key.Id));
        text.Family("groundwork_gateway_instance_requests_under_way", "gauge", "Requests under way at an instance.");
        foreach (var (name, one) in all) text.Sample(one.UnderWay, ("upstream", name), ("instance", one.Key.Id));
        text.Family("groundwork_gateway_instance_connections", "gauge", "Connections to an instance, used or kept.");
        foreach (var (name, one) in all)
            text.Sample(pools.OpenTo(one), ("upstream", name), ("instance", one.Key.Id));
    }

    public static string ReasonOf(CallFailure failure) => failure switch
    {
        CallFailure.None => "none",
        CallFailure.Connect => "connect",
        CallFailure.Forbidden => "forbidden",
        CallFailure.Full => "full",
        CallFailure.KeptClosed => "kept_closed",
        CallFailure.Timeout => "timeout",
        CallFailure.ClientBody => "client_body",
        CallFailure.ClientGone => "client_gone",
        CallFailure.Outrun => "outrun",
        _ => "broken",
    };
}

using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// Where a request that is over is written down: counted, logged, and kept to be explained. Called once for each, on
/// whatever thread it ended; allocates nothing but for the few that are kept.
/// </summary>
internal sealed class ExchangeRecorder(
    TrafficCounters traffic, RequestRing ring, AccessLog? log, ISnapshotSource snapshots, TimeProvider time)
{
    /// <summary>Bytes of a head that is kept to be explained; of a longer one only the request line is known.</summary>
    private const int MaxHeadBytes = 8 * 1024;

    /// <summary>Characters of a path that are kept.</summary>
    private const int MaxPath = 1024;

    public TrafficCounters Traffic => traffic;

    public RequestRing Ring => ring;

    /// <summary>Null where none is written.</summary>
    public AccessLog? Log => log;

    /// <summary>Takes note of the routes among which the request's own is looked for.</summary>
    public void Searched(Exchange exchange, RouteTable table) =>
        exchange.NoteSearch(table, snapshots.Current.Revision);

    /// <summary>The request is over.</summary>
    public void Ended(Exchange exchange)
    {
        exchange.Resume();
        var micros = (long)time.GetElapsedTime(exchange.Began, exchange.Now).TotalMicroseconds;
        var status = exchange.Status;
        var code = exchange.Code ?? (status == Exchange.ClientGoneStatus ? Exchange.ClientGoneCode : null);
        traffic.Of(exchange.Route)
            .Count(status, code, micros, exchange.BytesIn, exchange.BytesOut, exchange.Attempts);
        if (log is not null && exchange.Route is not { LogsAccess: false }) log.Write(exchange, micros, status, code);
        var isNotable = code is not null || status >= 500 || micros >= RequestRing.SlowMicros;
        if (ring.Wants(isNotable, exchange.Now)) ring.Add(Copy(exchange, micros, status, code), isNotable);
    }

    public void Write(MetricsText text)
    {
        text.Family("groundwork_gateway_requests_kept", "gauge", "Requests that can be explained.");
        text.Sample(ring.Count);
        text.Family("groundwork_gateway_requests_kept_bytes", "gauge", "About what they hold in memory.");
        text.Sample(ring.Bytes);
        text.Family(
            "groundwork_gateway_requests_not_kept_total", "counter", "Requests that were counted and not kept.");
        text.Sample(ring.Passed);
        if (log is null) return;
        text.Family("groundwork_gateway_access_log_lines_total", "counter", "Lines of the access log.");
        text.Sample(log.Written);
        text.Family(
            "groundwork_gateway_access_log_dropped_total", "counter",
            "Lines that were dropped because they came faster than they could be written.");
        text.Sample(log.Dropped);
    }

    private RecordedRequest Copy(Exchange exchange, long micros, int status, string? code)
    {
        var head = exchange.Request;
        var trace = exchange.Trace;
        return new RecordedRequest
        {
            Id = Encoding.ASCII.GetString(trace.SpanId),
            TraceId = trace.TraceId,
            CallerId = Encoding.ASCII.GetString(trace.CallerSpanId),
            IsSampled = trace.IsSampled,
            At = exchange.Came,
            Micros = micros,
            Status = status,
            Code = code,
            BytesIn = exchange.BytesIn,
            BytesOut = exchange.BytesOut,
            Attempts = exchange.Attempts,
            Client = exchange.CallerAddress,
            Route = exchange.Route,
            Table = exchange.Table,
            Revision = exchange.Revision,
            Instance = exchange.Instance?.Key.Id,
            Transformed = exchange.Transformed,
            Head = head.Length is > 0 and <= MaxHeadBytes ? head.Fields.Slice(0, head.Length).ToArray() : [],
            Method = Encoding.ASCII.GetString(head.MethodName),
            Host = Encoding.ASCII.GetString(head.Host),
            Path = Encoding.ASCII.GetString(head.Path[..Math.Min(MaxPath, head.Path.Length)]),
            Decisions = [.. exchange.Decisions],
        };
    }
}

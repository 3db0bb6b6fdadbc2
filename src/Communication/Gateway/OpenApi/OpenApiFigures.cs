using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.OpenApi.Requests;
using Groundwork.Kernel.Hosting.Metering;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.OpenApi;

/// <summary>What became of a request that was held to a document.</summary>
internal enum OpenApiVerdict
{
    /// <summary>It fits.</summary>
    Fits,

    /// <summary>Its document has no such operation, and it passes.</summary>
    Unknown,

    /// <summary>Its head fits, and its body could not be checked.</summary>
    Unseen,

    /// <summary>It does not fit, and passes.</summary>
    Detected,
    Refused,

    /// <summary>Its document is not there.</summary>
    Undecided,
}

/// <summary>
/// Counts what became of requests, and writes those that did not fit into the log, though never faster than it is read.
/// </summary>
internal sealed partial class OpenApiFigures(TimeProvider time, ILogger logger) : IMetricsSource
{
    /// <summary>Lines a second; the figures count all.</summary>
    private const int MaxLines = 10;

    private static readonly string[] Verdicts = ["fits", "unknown", "unseen", "detected", "refused", "undecided"];

    private static readonly string[] Places = ["operation", "path", "query", "header", "cookie", "body"];

    private readonly long[] requests = new long[Verdicts.Length]; // Interlocked, as those of faults.
    private readonly long[] faults = new long[Places.Length];
    private long second; // Interlocked, as the lines of it.
    private int lines;

    public long Of(OpenApiVerdict verdict) => Interlocked.Read(ref requests[(int)verdict]);

    public void Count(OpenApiVerdict verdict) => Interlocked.Increment(ref requests[(int)verdict]);

    public void Count(OpenApiFinding finding, OpenApiVerdict verdict, string route, TraceIdentity trace)
    {
        Count(verdict);
        foreach (var fault in finding.Faults)
            for (var place = 0; place < Places.Length; place++)
                if (fault.Path.StartsWith(Places[place], StringComparison.Ordinal))
                    Interlocked.Increment(ref faults[place]);
        if (MayWrite()) LogFinding(route, Verdicts[(int)verdict], finding, trace.TraceId);
    }

    public void Write(MetricsText text)
    {
        text.Family(
            "groundwork_gateway_openapi_requests_total", "counter",
            "Requests that were held to an OpenAPI document, by what became of them.");
        for (var verdict = 0; verdict < Verdicts.Length; verdict++)
            if (Interlocked.Read(ref requests[verdict]) is > 0 and var count)
                text.Sample(count, ("verdict", Verdicts[verdict]));
        text.Family(
            "groundwork_gateway_openapi_faults_total", "counter",
            "What of them did not fit, by where it stood; at most 16 of a request.");
        for (var place = 0; place < Places.Length; place++)
            if (Interlocked.Read(ref faults[place]) is > 0 and var count) text.Sample(count, ("place", Places[place]));
    }

    private bool MayWrite()
    {
        var now = time.GetTimestamp() / time.TimestampFrequency;
        if (Interlocked.Exchange(ref second, now) != now) Volatile.Write(ref lines, 0);
        return Interlocked.Increment(ref lines) <= MaxLines;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Route}: {Verdict} {Finding}, trace {Trace}")]
    private partial void LogFinding(string route, string verdict, OpenApiFinding finding, string trace);
}

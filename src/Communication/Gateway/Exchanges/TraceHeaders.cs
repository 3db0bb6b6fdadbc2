namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>The header fields by which a trace is read and passed on.</summary>
[Flags]
public enum TraceHeaders
{
    /// <summary><c>traceparent</c> and <c>tracestate</c> (W3C Trace Context).</summary>
    W3C = 1,

    /// <summary>B3 in one field: <c>b3</c>.</summary>
    B3 = 2,

    /// <summary>B3 in several: <c>X-B3-TraceId</c> and its siblings.</summary>
    B3Multi = 4,
}

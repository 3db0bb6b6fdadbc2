namespace Groundwork.Communication.Gateway.Serving;

/// <summary>A client that counts what goes over it, for one request at a time.</summary>
internal interface ITraffic
{
    /// <summary>Of the answer that was begun; 0 while none was.</summary>
    int Status { get; }

    /// <summary>Bytes of the request's body.</summary>
    long BytesIn { get; }

    /// <summary>Bytes of the answer's body, as they go out.</summary>
    long BytesOut { get; }
}

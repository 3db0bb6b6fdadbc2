namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>What one listener takes from its peers before it refuses. The operating guide lists them.</summary>
internal static class ListenerLimits
{
    /// <summary>
    /// Bytes of a request body, unless the endpoint says otherwise: the largest spec (1 MiB) and what JSON adds around
    /// it.
    /// </summary>
    public const long BodyBytes = 2 * 1024 * 1024;

    /// <summary>
    /// Bytes of a body that a handler without routes streams on: never held in memory, so it bounds time, not space.
    /// The gateway may set another per request.
    /// </summary>
    public const long StreamedBodyBytes = 1024L * 1024 * 1024;

    /// <summary>Headers of a request: browsers send about 20, proxies add about 10.</summary>
    public const int HeaderCount = 100;

    /// <summary>Bytes of all headers: cookies of 4 KiB each are common, eight of them are not.</summary>
    public const int HeadersBytes = 32 * 1024;

    /// <summary>
    /// Bytes of the request line: a name of 512 bytes in a path, and a page token in the query, fit many times.
    /// </summary>
    public const int RequestLineBytes = 8 * 1024;

    /// <summary>
    /// From connect, or from a request's first byte, to the end of its headers: a slow head holds a connection for
    /// nothing.
    /// </summary>
    public static readonly TimeSpan RequestHeadTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// An idle connection: longer than the 120 s after which common clients drop theirs, so that they close first.
    /// </summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(130);

    /// <summary>
    /// Connections of one listener: ten thousand parked watches and the calls beside them. Of the 20,000 open files
    /// that a common host grants, upstream connections and the database have the rest. One more is closed at once.
    /// </summary>
    public const int Connections = 12_000;

    /// <summary>Streams of one HTTP/2 connection: event streams of a console and its calls.</summary>
    public const int Http2Streams = 128;

    /// <summary>
    /// Bytes that a client of a proxy may send ahead of what has been passed on: a head of the largest size fits, and a
    /// pipeline costs no more.
    /// </summary>
    public const long ProxyReadBufferBytes = 64 * 1024;

    /// <summary>Ports that the search for a free one looks at.</summary>
    public const int NextPortTries = 100;

    /// <summary>Connections that wait to be accepted; the kernel caps it at somaxconn.</summary>
    public const int Backlog = 1024;
}

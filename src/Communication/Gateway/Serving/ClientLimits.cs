using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Serving;

/// <summary>What one client's connection may cost, each with its reason.</summary>
public sealed record ClientLimits
{
    /// <summary>
    /// A request's head: a line of 8 KiB holds the longest addresses in use, 32 KiB of fields eight cookies of the
    /// largest size, and browsers and proxies together send about 30 of the 100 fields.
    /// </summary>
    public HeadLimits Head { get; init; } = new(LineBytes: 8 * 1024, FieldsBytes: 32 * 1024, Fields: 100);

    /// <summary>From a connection's or a request's first moment to the end of its head.</summary>
    public TimeSpan HeadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// An idle connection: longer than the 120 s after which common clients drop theirs, so that they close first.
    /// </summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>
    /// How long a resting connection is still listened to when the gateway stops: longer than a request is on its way,
    /// and than clients that are busy rest.
    /// </summary>
    public TimeSpan CloseGrace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Bytes a second that a client has to send of a body while it is waited for: a bad mobile line does better.
    /// </summary>
    public int MinBytesPerSecond { get; init; } = 240;

    /// <summary>How long it may fall behind that rate.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a client may take none of the 64 KiB that wait for it: nginx grants as much (<c>send_timeout</c>).
    /// </summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Bytes of a request's body: they are never held in memory, so that this bounds time, not space.
    /// </summary>
    public long BodyBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>
    /// Bytes of a body that are read over when it is answered before its end, so that the connection can go on: what is
    /// under way anyhow.
    /// </summary>
    public int DrainBytes { get; init; } = 64 * 1024;

    /// <summary>How long that, and the taking of a last answer, may last.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(5);
}

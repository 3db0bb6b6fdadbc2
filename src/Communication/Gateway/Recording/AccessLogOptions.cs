namespace Groundwork.Communication.Gateway.Recording;

/// <summary>How a line of the access log is written.</summary>
public enum AccessLogFormat
{
    /// <summary>One JSON object.</summary>
    Json,

    /// <summary>The combined format of Apache and nginx, and what is ours behind it.</summary>
    Combined,
}

/// <summary>Where the access log goes.</summary>
/// <param name="File">Its path; null for the standard output.</param>
public sealed record AccessLogOptions(string? File, AccessLogFormat Format = AccessLogFormat.Json)
{
    /// <summary>Bytes of a file; then it is put aside and another begun.</summary>
    public long MaxFileBytes { get; init; } = 100 * 1024 * 1024;

    /// <summary>Files put aside: <c>access.log.1</c> is the newest. The disk holds one more.</summary>
    public int KeptFiles { get; init; } = 5;

    /// <summary>
    /// Bytes that wait to be written for each processor: half a second of a busy one. What comes while they are full is
    /// dropped, and counted.
    /// </summary>
    public int BufferBytes { get; init; } = 1024 * 1024;
}

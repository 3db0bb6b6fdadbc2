using System.Collections.Immutable;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>
/// One answer that is kept: its head as it is written, its body as it is sent, and until when it is good. Immutable,
/// read by many at once.
/// </summary>
internal sealed record StoredAnswer
{
    /// <summary>Bytes that objects around the content take, about.</summary>
    private const int OverheadBytes = 768;

    public required ResponseHead Head { get; init; }

    public required ReadOnlyMemory<byte> Body { get; init; }

    public required Selection Selection { get; init; }

    /// <summary>When it came.</summary>
    public required DateTimeOffset Came { get; init; }

    /// <summary>How old it was then, in seconds.</summary>
    public required long InitialAge { get; init; }

    /// <summary>Seconds for which it is fresh, its age when it came included.</summary>
    public required long Lifetime { get; init; }

    public required long StaleWhileRevalidate { get; init; }

    public required long StaleIfError { get; init; }

    /// <summary>True when nothing of it may be given after its time, whatever a client says.</summary>
    public required bool ForbidsStale { get; init; }

    /// <summary>True when the origin is asked each time.</summary>
    public required bool NoCache { get; init; }

    /// <summary>By which the origin knows it again; as the origin wrote it.</summary>
    public required byte[] ETag { get; init; }

    public required byte[] LastModified { get; init; }

    public DateTimeOffset? Modified { get; init; }

    /// <summary>By which it can be purged.</summary>
    public required ImmutableArray<string> Tags { get; init; }

    /// <summary>The figures of its route, which count it while it is kept.</summary>
    public CacheFigures? Figures { get; init; }

    public bool HasValidator => ETag.Length > 0 || LastModified.Length > 0;

    public long Size => Body.Length + Head.Fields.Filled + Selection.Size + ETag.Length + LastModified.Length
        + OverheadBytes;

    /// <summary>The tag that clients know it by.</summary>
    public ReadOnlySpan<byte> ClientTag => Head.Fields.First(KnownField.ETag);

    public long AgeAt(DateTimeOffset now) => InitialAge + Math.Max(0, (long)(now - Came).TotalSeconds);

    public bool IsFreshAt(DateTimeOffset now) => !NoCache && AgeAt(now) < Lifetime;

    /// <summary>Seconds since it was fresh; 0 or less while it is.</summary>
    public long StalenessAt(DateTimeOffset now) => AgeAt(now) - Lifetime;
}

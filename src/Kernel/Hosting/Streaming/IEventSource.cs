using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting.Streaming;

/// <summary>News of one sort, which one stream of server-sent events can carry beside others.</summary>
public interface IEventSource
{
    /// <summary>What a reader asks for it by, such as <c>changes</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Writes events until the stream ends, at the reader's pace: what it cannot take in time is told in one event or
    /// read anew, never heaped up.
    /// </summary>
    /// <returns>Why there can be no more of them; the whole stream ends with it.</returns>
    Task<Fault> DeliverAsync(EventStream stream, CancellationToken ended);
}

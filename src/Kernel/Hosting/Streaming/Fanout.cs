namespace Groundwork.Kernel.Hosting.Streaming;

/// <summary>
/// Tells many streams of one thing, on as many threads of the pool as there are processors, and on each a few streams
/// at a time: all of ten thousand take a tenth of a second, and other requests get in between.
/// </summary>
/// <param name="tell">
/// Called for each stream once; lets its loop go on (<see cref="StreamWait.WakeHere"/>).
/// </param>
public sealed class Fanout<TStream, TNews> : IThreadPoolWorkItem
{
    /// <summary>
    /// Streams between two looks at the pool's queue: about half a millisecond, if each is written to.
    /// </summary>
    private const int AtATime = 32;

    private readonly TStream[] streams;
    private readonly TNews news;
    private readonly Action<TStream, TNews> tell;
    private int next; // Interlocked.

    private Fanout(TStream[] streams, TNews news, Action<TStream, TNews> tell)
    {
        this.streams = streams;
        this.news = news;
        this.tell = tell;
    }

    /// <summary>Begins, and returns at once; may be called under locks.</summary>
    public static void Start(TStream[] streams, TNews news, Action<TStream, TNews> tell)
    {
        var fanout = new Fanout<TStream, TNews>(streams, news, tell);
        var threads = Math.Min(Environment.ProcessorCount, (streams.Length + AtATime - 1) / AtATime);
        for (var thread = 0; thread < threads; thread++) fanout.Queue();
    }

    void IThreadPoolWorkItem.Execute()
    {
        var first = Interlocked.Add(ref next, AtATime) - AtATime;
        var end = Math.Min(first + AtATime, streams.Length);
        for (var at = first; at < end; at++) tell(streams[at], news);
        if (end == first + AtATime && end < streams.Length) Queue();
    }

    // Behind what others have queued meanwhile.
    private void Queue() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
}

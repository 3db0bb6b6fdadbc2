namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// The last requests of this node. Those that failed or were slow have a ring of their own, so that what is worth a
/// look is not pushed out by what is not; of the others some are taken each second.
/// </summary>
internal sealed class RequestRing(TimeProvider time)
{
    /// <summary>A request that took so long is kept like one that failed: people begin to notice.</summary>
    public const long SlowMicros = 1_000_000;

    private readonly Ring usual = new(MaxPerSecond: 50, time);
    private readonly Ring notable = new(MaxPerSecond: 500, time);

    /// <summary>Requests that were not kept.</summary>
    public long Passed => usual.Passed + notable.Passed;

    public int Count => usual.Count + notable.Count;

    public long Bytes => usual.Bytes + notable.Bytes;

    /// <summary>True when a request that ended so is to be given to <see cref="Add"/>.</summary>
    /// <param name="now">The clock's timestamp.</param>
    public bool Wants(bool isNotable, long now) => (isNotable ? notable : usual).Wants(now);

    public void Add(RecordedRequest request, bool isNotable) => (isNotable ? notable : usual).Add(request);

    /// <summary>All that are kept, the newest first.</summary>
    public IReadOnlyList<RecordedRequest> Read() =>
        [.. usual.Read().Concat(notable.Read()).OrderByDescending(one => one.At)];

    /// <param name="MaxPerSecond">What is taken of a second's requests: copying one costs more than counting it.
    /// </param>
    private sealed class Ring(int MaxPerSecond, TimeProvider time)
    {
        /// <summary>Enough for a day of a quiet edge, and for the last seconds of a busy one.</summary>
        private const int MaxCount = 2_000;

        /// <summary>A large head is kept at the cost of many small ones.</summary>
        private const long MaxBytes = 4 * 1024 * 1024;

        private readonly Lock gate = new();
        private readonly Queue<RecordedRequest> kept = new(); // Under the gate; the oldest first.
        private long bytes; // Under the gate.
        private long second; // Of the clock's timestamp. Interlocked.
        private int taken; // In that second. Interlocked.
        private readonly ShardedCells passed = new(1);

        public long Passed => passed[0];

        public int Count
        {
            get
            {
                lock (gate) return kept.Count;
            }
        }

        public long Bytes
        {
            get
            {
                lock (gate) return bytes;
            }
        }

        public bool Wants(long now)
        {
            var present = now / time.TimestampFrequency;
            if (Interlocked.Read(ref second) != present)
            {
                // Two that see a new second at once may let a few more in.
                Interlocked.Exchange(ref second, present);
                Volatile.Write(ref taken, 0);
            }
            if (Volatile.Read(ref taken) < MaxPerSecond && Interlocked.Increment(ref taken) <= MaxPerSecond)
                return true;
            ShardedCells.Add(passed.Mine, 0, 1);
            return false;
        }

        public void Add(RecordedRequest request)
        {
            lock (gate)
            {
                kept.Enqueue(request);
                bytes += request.Bytes;
                while (kept.Count > MaxCount || bytes > MaxBytes) bytes -= kept.Dequeue().Bytes;
            }
        }

        public RecordedRequest[] Read()
        {
            lock (gate) return [.. kept];
        }
    }
}

using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>
/// Answers in memory, up to a number of bytes. Two queues and a memory of what was let go (S3-FIFO): a newcomer has a
/// tenth of the room to show that it is asked for twice, so that a scan passes through without taking anything of the
/// rest. A look takes no lock; a change takes one.
/// </summary>
internal sealed class AnswerStore(long maxBytes)
{
    /// <summary>Answers to one address: each request is compared with all.</summary>
    private const int MaxVariants = 32;

    /// <summary>Keys that are remembered after they were let go.</summary>
    private const int MaxRemembered = 32 * 1024;

    /// <summary>The most that uses count: later ones say nothing more.</summary>
    private const int MaxUses = 3;

    /// <summary>Empty places in the queues, over as many as are full, at which they are gone through.</summary>
    private const int SpareEmpty = 1024;

    private readonly ConcurrentDictionary<CacheKey, Slot> slots = new();
    private readonly Lock gate = new(); // Guards all below, and every change of a slot.
    private readonly Queue<Node> young = new();
    private readonly Queue<Node> old = new();
    private readonly Queue<int> letGo = new();
    private readonly Dictionary<int, int> remembered = [];
    private long youngBytes;
    private long bytes;
    private int full;
    private long evictions;

    public long MaxBytes => maxBytes;

    public long Bytes => Volatile.Read(ref bytes);

    public int Count => Volatile.Read(ref full);

    public long Evictions => Volatile.Read(ref evictions);

    /// <summary>All that is kept under a key; null when nothing is.</summary>
    public Slot? Find(in CacheKey key) => slots.TryGetValue(key, out var slot) ? slot : null;

    /// <summary>Keeps an answer, in place of the one that was for the same requests.</summary>
    /// <param name="key">In bytes of its own.</param>
    public void Put(in CacheKey key, StoredAnswer answer)
    {
        if (answer.Size > maxBytes / 2) return;
        lock (gate)
        {
            var slot = slots.GetOrAdd(key, static kept => new Slot(kept));
            var nodes = slot.Nodes;
            for (var index = 0; index < nodes.Length; index++)
            {
                if (nodes[index].Answer is not { } before || !before.Selection.Equals(answer.Selection)) continue;
                Weigh(nodes[index], answer.Size - before.Size);
                before.Figures?.Left(before.Size);
                answer.Figures?.Came(answer.Size);
                nodes[index].Answer = answer;
                Evict();
                return;
            }
            if (nodes.Length == MaxVariants) Remove(nodes[0], remember: false);
            var node = new Node(slot) { Answer = answer, IsOld = remembered.ContainsKey(key.GetHashCode()) };
            slot.Nodes = [.. slot.Nodes, node];
            // Whoever let the last of it go has taken it out meanwhile.
            slots[key] = slot;
            full++;
            answer.Figures?.Came(answer.Size);
            Weigh(node, answer.Size);
            (node.IsOld ? old : young).Enqueue(node);
            Evict();
        }
    }

    /// <summary>Forgets what an answer is kept under.</summary>
    public int Remove(in CacheKey key)
    {
        lock (gate)
        {
            if (!slots.TryGetValue(key, out var slot)) return 0;
            var nodes = slot.Nodes;
            foreach (var node in nodes) Remove(node, remember: false);
            return nodes.Length;
        }
    }

    /// <summary>Forgets all answers of which something holds; how many.</summary>
    public int RemoveWhere(Func<CacheKey, StoredAnswer, bool> holds)
    {
        var removed = 0;
        foreach (var (key, slot) in slots)
            foreach (var node in slot.Nodes)
                if (node.Answer is { } answer && holds(key, answer))
                    lock (gate) removed += Remove(node, remember: false) ? 1 : 0;
        return removed;
    }

    private void Evict()
    {
        while (bytes > maxBytes)
        {
            if (youngBytes > maxBytes / 10 || old.Count == 0) EvictYoung();
            else EvictOld();
        }
        if (young.Count + old.Count > (full * 2) + SpareEmpty)
        {
            Compact(young);
            Compact(old);
        }
    }

    private void EvictYoung()
    {
        while (young.TryDequeue(out var node))
        {
            if (node.Answer is not { } answer) continue;
            // Asked for again while it was young: it stays.
            if (Interlocked.Exchange(ref node.Uses, 0) > 0)
            {
                youngBytes -= answer.Size;
                node.IsOld = true;
                old.Enqueue(node);
                if (youngBytes <= maxBytes / 10) return;
                continue;
            }
            Remove(node, remember: true);
            evictions++;
            return;
        }
        youngBytes = 0;
    }

    private void EvictOld()
    {
        while (old.TryDequeue(out var node))
        {
            if (node.Answer is null) continue;
            if (node.Uses > 0)
            {
                Interlocked.Decrement(ref node.Uses);
                old.Enqueue(node);
                continue;
            }
            Remove(node, remember: true);
            evictions++;
            return;
        }
    }

    private bool Remove(Node node, bool remember)
    {
        if (node.Answer is not { } answer) return false;
        node.Answer = null;
        full--;
        answer.Figures?.Left(answer.Size);
        Weigh(node, -answer.Size);
        var slot = node.Slot;
        slot.Nodes = slot.Nodes.Remove(node);
        if (slot.Nodes.IsEmpty) slots.TryRemove(slot.Key, out _);
        if (!remember) return true;
        var hash = slot.Key.GetHashCode();
        letGo.Enqueue(hash);
        remembered[hash] = remembered.GetValueOrDefault(hash) + 1;
        if (letGo.Count <= MaxRemembered) return true;
        var oldest = letGo.Dequeue();
        if (--remembered[oldest] == 0) remembered.Remove(oldest);
        return true;
    }

    private void Weigh(Node node, long size)
    {
        bytes += size;
        if (!node.IsOld) youngBytes += size;
    }

    private static void Compact(Queue<Node> queue)
    {
        for (var count = queue.Count; count > 0; count--)
            if (queue.Dequeue() is { Answer: not null } node) queue.Enqueue(node);
    }

    /// <summary>What is kept under one key.</summary>
    internal sealed class Slot(CacheKey key)
    {
        private ImmutableArray<Node> nodes = [];

        public CacheKey Key => key;

        /// <summary>Read at any time; written under the store's gate.</summary>
        public ImmutableArray<Node> Nodes
        {
            get => ImmutableInterlocked.InterlockedCompareExchange(ref nodes, default, default);
            set => ImmutableInterlocked.InterlockedExchange(ref nodes, value);
        }

        /// <summary>The answer for a request, which counts as a use; null when there is none for it.</summary>
        public StoredAnswer? Find(Wire.Http1.FieldTable request)
        {
            foreach (var node in Nodes)
            {
                if (node.Answer is not { } answer || !answer.Selection.Takes(request)) continue;
                if (Volatile.Read(ref node.Uses) < MaxUses) Interlocked.Increment(ref node.Uses);
                return answer;
            }
            return null;
        }
    }

    /// <summary>The place of one answer.</summary>
    internal sealed class Node(Slot slot)
    {
        private StoredAnswer? answer;

        public int Uses;

        public Slot Slot => slot;

        public bool IsOld { get; set; }

        /// <summary>Null once it has been let go.</summary>
        public StoredAnswer? Answer
        {
            get => Volatile.Read(ref answer);
            set => Volatile.Write(ref answer, value);
        }
    }
}

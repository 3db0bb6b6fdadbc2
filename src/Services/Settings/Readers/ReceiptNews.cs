using Groundwork.Kernel.Resources;

namespace Groundwork.Services.Settings.Readers;

/// <summary>
/// Tells of which settings this node has stored receipts, to all who listen. What readers say through other nodes is in
/// the store alone; who shows it asks now and then.
/// </summary>
internal sealed class ReceiptNews
{
    private readonly Lock gate = new(); // Guards the set of listeners.
    private readonly HashSet<Listener> listeners = [];

    public Listener Listen()
    {
        var listener = new Listener(this);
        lock (gate) listeners.Add(listener);
        return listener;
    }

    public void Tell(IReadOnlySet<ResourceKey> settings)
    {
        if (settings.Count == 0) return;
        lock (gate)
            foreach (var listener in listeners) listener.Add(settings);
    }

    private void Remove(Listener listener)
    {
        lock (gate) listeners.Remove(listener);
    }

    /// <summary>One who listens, with what it was told of and has not taken yet.</summary>
    internal sealed class Listener(ReceiptNews news) : IDisposable
    {
        /// <summary>Settings that wait for a slow reader; of those beyond it hears with the next receipt.</summary>
        private const int MaxWaiting = 10_000;

        private readonly Lock gate = new(); // Guards the two fields below.
        private HashSet<ResourceKey> waiting = [];
        private TaskCompletionSource come = New();

        /// <summary>Completes when there is something to take.</summary>
        public Task Come
        {
            get
            {
                lock (gate) return come.Task;
            }
        }

        public IReadOnlyCollection<ResourceKey> Take()
        {
            lock (gate)
            {
                var taken = waiting;
                waiting = [];
                if (come.Task.IsCompleted) come = New();
                return taken;
            }
        }

        public void Dispose() => news.Remove(this);

        internal void Add(IReadOnlySet<ResourceKey> settings)
        {
            lock (gate)
            {
                if (waiting.Count < MaxWaiting) waiting.UnionWith(settings);
                come.TrySetResult();
            }
        }

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

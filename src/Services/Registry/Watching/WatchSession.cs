namespace Groundwork.Services.Registry.Watching;

/// <summary>
/// One watcher: a connection with its services, or with all of a namespace. Gathers which of them changed, wakes its
/// connection once for any number of changes, and remembers the last index that the connection was sent, which is how a
/// drain knows who has seen it.
/// </summary>
/// <param name="name">Whose it is: an instance that named itself, else the principal.</param>
internal sealed class WatchSession(string name)
{
    private readonly Lock gate = new(); // Innermost lock but for the signal's.
    private readonly HashSet<ServiceState> touched = [];
    private readonly Dictionary<ServiceState, long> sent = [];
    private readonly Signal changed = new();

    public string Name => name;

    /// <summary>A publisher's word that a service has a new view. Called under the service's gate.</summary>
    public void Touched(ServiceState service)
    {
        lock (gate) touched.Add(service);
        changed.Set();
    }

    /// <summary>Wakes the connection without a change.</summary>
    public void Wake() => changed.Set();

    /// <summary>Completes when a service changed, or after the time given.</summary>
    public Task<bool> WaitAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken) =>
        changed.WaitAsync(patience, time, cancellationToken);

    /// <summary>The services that changed since the last take.</summary>
    public IReadOnlyList<ServiceState> Take()
    {
        lock (gate)
        {
            if (touched.Count == 0) return [];
            var taken = touched.ToArray();
            touched.Clear();
            return taken;
        }
    }

    /// <summary>The connection has written this index of the service to its peer.</summary>
    public void Sent(ServiceState service, long index)
    {
        lock (gate) sent[service] = index;
        service.Seen();
    }

    /// <summary>True when the peer was sent this index of the service, or a later one.</summary>
    public bool HasSeen(ServiceState service, long index)
    {
        lock (gate) return sent.TryGetValue(service, out var last) && last >= index;
    }
}

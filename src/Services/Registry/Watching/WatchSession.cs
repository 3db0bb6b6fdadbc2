using Groundwork.Kernel.Hosting.Streaming;

namespace Groundwork.Services.Registry.Watching;

/// <summary>
/// One watcher: a connection with its services, or with all of a namespace. Gathers which of them changed, wakes its
/// connection once for any number of changes, and remembers the last index that the connection was sent, which is how a
/// drain knows who has seen it.
/// </summary>
/// <param name="name">Whose it is: an instance that named itself, else the principal.</param>
/// <param name="by">Whose call it is; null for what this node itself watches.</param>
internal sealed class WatchSession(string name, Watcher? by = null)
{
    private readonly Lock gate = new(); // Innermost lock but for the wait's.
    private readonly HashSet<ServiceState> touched = [];
    private readonly Dictionary<ServiceState, long> sent = [];

    public string Name => name;

    /// <summary>True for one that looks on behalf of others, as long as the node runs.</summary>
    public bool IsOurs { get; init; }

    public Watcher? By => by;

    /// <summary>Where the connection waits for a change.</summary>
    public StreamWait Changed { get; } = new();

    /// <summary>A service has a new view, or has just been joined.</summary>
    public void Touched(ServiceState service)
    {
        lock (gate) touched.Add(service);
        Changed.Wake();
    }

    /// <summary>The same, and the connection goes on upon this thread, which holds no lock.</summary>
    public void TouchedHere(ServiceState service)
    {
        lock (gate) touched.Add(service);
        Changed.WakeHere();
    }

    /// <summary>Moves the services that changed since the last take to an empty list.</summary>
    public void Take(List<ServiceState> taken)
    {
        lock (gate)
        {
            taken.AddRange(touched);
            touched.Clear();
        }
    }

    /// <summary>The connection has written this index of the service to its peer.</summary>
    public void Sent(ServiceState service, long index)
    {
        lock (gate) sent[service] = index;
        service.Seen();
    }

    /// <summary>The service is watched no longer.</summary>
    public void Forget(ServiceState service)
    {
        lock (gate) sent.Remove(service);
    }

    /// <summary>True when the peer was sent this index of the service, or a later one.</summary>
    public bool HasSeen(ServiceState service, long index)
    {
        lock (gate) return sent.TryGetValue(service, out var last) && last >= index;
    }
}

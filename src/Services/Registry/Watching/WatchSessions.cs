using System.Collections.Immutable;

namespace Groundwork.Services.Registry.Watching;

/// <summary>Opens and closes watches, within the limit, and knows those that watch whole namespaces.</summary>
internal sealed class WatchSessions(InstanceRegistry registry, int limit)
{
    private readonly Lock gate = new(); // Innermost lock.
    private ImmutableArray<(WatchSession Session, string? Namespace)> wide = [];
    private int count; // Interlocked.

    public int Count => Volatile.Read(ref count);

    /// <summary>
    /// Begins to watch some services, known or not yet; null when there are too many watchers or services.
    /// </summary>
    public WatchSession? Open(IReadOnlyList<ServiceKey> services, string name, Watcher? by = null)
    {
        if (!Enter()) return null;
        var session = new WatchSession(name, by);
        foreach (var key in services)
        {
            if (Join(session, key)) continue;
            Close(session, services);
            return null;
        }
        return session;
    }

    /// <summary>Begins to watch every service of a namespace, or of all.</summary>
    /// <param name="isOurs">
    /// There is one of its kind, for any number of others: it is not counted, keeps no service known, and stays.
    /// </param>
    public WatchSession? OpenWide(string? @namespace, string name, Watcher? by = null, bool isOurs = false)
    {
        if (!isOurs && !Enter()) return null;
        var session = new WatchSession(name, by) { IsOurs = isOurs };
        lock (gate) wide = wide.Add((session, @namespace));
        foreach (var service in registry.Services)
            if (@namespace is null || service.Key.Namespace == @namespace) Join(session, service);
        return session;
    }

    public void Close(WatchSession session, IReadOnlyList<ServiceKey> services)
    {
        foreach (var key in services)
            if (registry.FindService(key) is { } service) Leave(session, service);
        Interlocked.Decrement(ref count);
    }

    /// <summary>The session watches one service more; false when there are too many services.</summary>
    public bool Follow(WatchSession session, ServiceKey key) => Join(session, key);

    /// <summary>The session watches the service no longer.</summary>
    public void Unfollow(WatchSession session, ServiceKey key)
    {
        if (registry.FindService(key) is not { } service) return;
        Leave(session, service);
        session.Forget(service);
    }

    public void CloseWide(WatchSession session)
    {
        lock (gate) wide = wide.RemoveAll(entry => ReferenceEquals(entry.Session, session));
        foreach (var service in registry.Services) Leave(session, service);
        Interlocked.Decrement(ref count);
    }

    /// <summary>
    /// A service has got its place in the registry. A session that opened meanwhile may join it twice.
    /// </summary>
    public void Added(ServiceState service)
    {
        foreach (var (session, @namespace) in wide)
            if (@namespace is null || service.Key.Namespace == @namespace) Join(session, service);
    }

    /// <summary>Says how many watch the service, and how many of them were not yet sent the index.</summary>
    public static (int Watchers, int Behind) Behind(ServiceState service, long index)
    {
        lock (service.Gate)
        {
            var behind = 0;
            foreach (var watcher in service.Watchers)
                if (!watcher.HasSeen(service, index)) behind++;
            return (service.Watchers.Count, behind);
        }
    }

    /// <summary>Names of those that watch the service and have been sent the index, or have not.</summary>
    public static string[] Names(ServiceState service, long index, bool seen)
    {
        lock (service.Gate)
            return [.. service.Watchers.Where(watcher => watcher.HasSeen(service, index) == seen)
                .Select(watcher => watcher.Name)];
    }

    /// <summary>Those that watch the service.</summary>
    public static WatchSession[] Of(ServiceState service)
    {
        lock (service.Gate) return [.. service.Watchers];
    }

    private bool Enter()
    {
        if (Interlocked.Increment(ref count) <= limit) return true;
        Interlocked.Decrement(ref count);
        return false;
    }

    private bool Join(WatchSession session, ServiceKey key)
    {
        while (registry.FindOrAdd(key) is { } service)
            if (Join(session, service)) return true;
        return false;
    }

    private static bool Join(WatchSession session, ServiceState service)
    {
        lock (service.Gate)
        {
            if (service.Forgotten) return false;
            service.AddWatcher(session);
        }
        session.Touched(service);
        return true;
    }

    private static void Leave(WatchSession session, ServiceState service)
    {
        lock (service.Gate) service.RemoveWatcher(session);
    }
}

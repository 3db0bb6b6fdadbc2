using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry.Consumers;

/// <summary>
/// Which services call which, as somebody may see it: made for one answer, narrowed to a namespace or to the
/// neighbourhood of a service, and then cut to what fits, the most connected first.
/// </summary>
/// <param name="isVisible">Whether the caller may discover a service.</param>
internal sealed class CallGraph(Func<ServiceKey, bool> isVisible)
{
    /// <summary>The platform's own: every caller may know that it is there.</summary>
    private static readonly ServiceKey Gateway = new("", ServiceKey.DefaultGroup, ConsumerBook.Gateway);

    private readonly Dictionary<ServiceKey, ServiceView?> services = []; // Null: only heard of.
    private readonly Dictionary<(ServiceKey From, ServiceKey To), Calls> edges = [];

    public void Add(ServiceView view)
    {
        if (isVisible(view.Key)) services[view.Key] = view;
    }

    /// <summary>Adds calls whose ends may both be seen. After all services.</summary>
    public void Add(ConsumerEdge edge)
    {
        if (ReadConsumer(edge.Link.Consumer) is not { } from) return;
        var key = (From: from, To: edge.Link.Service);
        if (!IsVisible(key.From) || !IsVisible(key.To)) return;
        services.TryAdd(key.From, null);
        services.TryAdd(key.To, null);
        edges[key] = edges.TryGetValue(key, out var known) ? known.And(edge) : Calls.Of(edge);
    }

    /// <summary>Keeps services of a namespace, and those of others that they call or are called by.</summary>
    public void KeepNamespace(string name) =>
        Keep(edge => edge.From.Namespace == name || edge.To.Namespace == name, key => key.Namespace == name);

    /// <summary>Keeps a service and what is at most so many calls away from it, in either direction.</summary>
    public void KeepAround(ServiceKey centre, int steps)
    {
        var neighbours = edges.Keys.SelectMany(edge => new[] { edge, (From: edge.To, To: edge.From) })
            .ToLookup(edge => edge.From, edge => edge.To);
        var near = new HashSet<ServiceKey> { centre };
        IReadOnlyCollection<ServiceKey> rim = near.ToArray();
        for (var step = 0; step < steps && rim.Count > 0; step++)
            rim = [.. rim.SelectMany(key => neighbours[key]).Where(near.Add)];
        Keep(edge => near.Contains(edge.From) && near.Contains(edge.To), near.Contains);
    }

    public ServiceGraph Write(string storeId, long index, int limit)
    {
        var ends = edges.Keys.SelectMany(edge => edge.From == edge.To ? [edge.From] : new[] { edge.From, edge.To })
            .CountBy(key => key).ToDictionary();
        var shown = services.Keys
            .OrderByDescending(ends.GetValueOrDefault)
            .ThenBy(key => key, RegistryPaths.Order)
            .Take(limit)
            .ToArray();
        var kept = shown.ToHashSet();
        return new ServiceGraph(
            storeId, index, (int)ConsumerBook.Expiry.TotalSeconds, services.Count, services.Count - ends.Count,
            [.. shown.Select(key => Node(key, services[key]))],
            [.. edges.Where(edge => kept.Contains(edge.Key.From) && kept.Contains(edge.Key.To))
                .OrderBy(edge => edge.Key.From, RegistryPaths.Order)
                .ThenBy(edge => edge.Key.To, RegistryPaths.Order)
                .Select(edge => new ServiceGraphEdge(
                    IdOf(edge.Key.From), IdOf(edge.Key.To), edge.Value.LastSeen, [.. edge.Value.How],
                    edge.Value.OpenBreakers))]);
    }

    private static ServiceGraphNode Node(ServiceKey key, ServiceView? view) => new(
        IdOf(key), key.Namespace, key.Group, key.Service,
        view?.Instances.Length ?? 0,
        view?.Instances.Count(instance => instance.Health.State != HealthState.Unhealthy) ?? 0,
        view?.Callable.Length ?? 0,
        view?.Protection ?? false,
        view?.Maintenance is not null,
        view is not null);

    private static string IdOf(ServiceKey key) => key == Gateway ? key.Service : key.ToString();

    /// <summary>The service of a consumer that ends with a slash; null for a name that is of none.</summary>
    private static ServiceKey? ReadConsumer(string consumer)
    {
        var name = consumer.TrimEnd('/');
        if (name == ConsumerBook.Gateway) return Gateway;
        return ServiceKey.TryParse(name, Names.DefaultNamespace, out var key) ? key : null;
    }

    private bool IsVisible(ServiceKey key) => key == Gateway || services.ContainsKey(key) || isVisible(key);

    private void Keep(Func<(ServiceKey From, ServiceKey To), bool> edge, Func<ServiceKey, bool> service)
    {
        foreach (var key in edges.Keys.Where(key => !edge(key)).ToArray()) edges.Remove(key);
        var connected = edges.Keys.SelectMany(key => new[] { key.From, key.To }).ToHashSet();
        foreach (var key in services.Keys.Where(key => !service(key) && !connected.Contains(key)).ToArray())
            services.Remove(key);
    }

    /// <summary>All that is known of the calls of one service to another.</summary>
    private sealed record Calls(DateTimeOffset LastSeen, IReadOnlyList<string> How, int OpenBreakers)
    {
        public static Calls Of(ConsumerEdge edge) => new(edge.LastSeen, [edge.Link.How], edge.OpenBreakers);

        public Calls And(ConsumerEdge edge) => new(
            edge.LastSeen > LastSeen ? edge.LastSeen : LastSeen,
            [.. How.Append(edge.Link.How).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            OpenBreakers + edge.OpenBreakers);
    }
}

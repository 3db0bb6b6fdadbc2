using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry.Consumers;

/// <summary>Gathers rows of consumers into what the API answers.</summary>
internal static class ConsumerDocuments
{
    /// <summary>The consumers of a service, by their service.</summary>
    public static ConsumerList Consumers(ServiceKey service, IEnumerable<ConsumerRow> rows) => new(
        service.Namespace, service.Group, service.Service, (int)ConsumerBook.Expiry.TotalSeconds,
        [.. rows.Select(row => (Who: Who.Of(row.Link.Consumer), Row: row))
            .GroupBy(entry => entry.Who.Service)
            .OrderBy(group => group.Key.ToString(), StringComparer.Ordinal)
            .Select(group => new ConsumerDocument(
                group.Key.Namespace, group.Key.Group, group.Key.Service,
                group.Max(entry => entry.Row.LastSeen), How(group.Select(entry => entry.Row)),
                [.. group.GroupBy(entry => entry.Who.Id, StringComparer.Ordinal)
                    .OrderBy(instance => instance.Key, StringComparer.Ordinal)
                    .Select(instance => Instance(instance.Key, [.. instance.Select(entry => entry.Row)]))]))]);

    /// <summary>What a service's instances consume, by service.</summary>
    public static DependencyList Dependencies(ServiceKey consumer, IEnumerable<ConsumerRow> rows) => new(
        consumer.Namespace, consumer.Group, consumer.Service, (int)ConsumerBook.Expiry.TotalSeconds,
        [.. rows.GroupBy(row => row.Link.Service)
            .OrderBy(group => group.Key, RegistryPaths.Order)
            .Select(group => new ConsumerDocument(
                group.Key.Namespace, group.Key.Group, group.Key.Service,
                group.Max(row => row.LastSeen), How(group),
                [.. group.GroupBy(row => Who.Of(row.Link.Consumer).Id, StringComparer.Ordinal)
                    .OrderBy(instance => instance.Key, StringComparer.Ordinal)
                    .Select(instance => Instance(instance.Key, [.. instance]))]))]);

    private static ConsumerInstance Instance(string id, IReadOnlyList<ConsumerRow> rows)
    {
        var latest = rows.MaxBy(row => row.LastSeen)!; // Of a group, which is not empty.
        var breakers = rows.SelectMany(row => row.Breakers).ToArray();
        return new ConsumerInstance(
            id, latest.LastSeen, How(rows), latest.Node,
            breakers.Length == 0 ? null : breakers);
    }

    private static string[] How(IEnumerable<ConsumerRow> rows) =>
        [.. rows.Select(row => row.Link.How).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>An instance of a service, or the gateway of a node, which is of no namespace.</summary>
    private readonly record struct Who(ServiceKey Service, string Id)
    {
        public static Who Of(string consumer)
        {
            if (InstanceKey.TryParse(consumer, out var key)) return new Who(key.Value.Service, key.Value.Id);
            var slash = consumer.IndexOf('/', StringComparison.Ordinal);
            return new Who(
                new ServiceKey("", ServiceKey.DefaultGroup, consumer[..Math.Max(slash, 0)]), consumer[(slash + 1)..]);
        }
    }
}

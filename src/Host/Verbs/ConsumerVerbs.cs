using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>service consumers</c>, <c>service dependencies</c> and <c>service graph</c>.</summary>
internal static class ConsumerVerbs
{
    private static readonly Option<int?> Steps = new("--steps")
    {
        Description = "How many calls away from the service, 1 to 5; 1 unless given", HelpName = "N",
    };

    public static Command CreateConsumers() =>
        new Verb("consumers", "Show who consumes a service.", "service consumers catalog", ConsumersAsync)
        {
            RegistryName.ServiceArgument,
        };

    public static Command CreateDependencies() =>
        new Verb("dependencies", "Show what a service consumes.", "service dependencies orders", DependenciesAsync)
        {
            RegistryName.ServiceArgument,
        };

    public static Command CreateGraph() =>
        new Verb("graph", "Show which services call which, of all or around one.", "service graph -n shop", GraphAsync)
        {
            ServiceVerbs.OptionalService, ServiceVerbs.OnlyNamespace, Steps,
        };

    private static async Task<int> ConsumersAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.GetAsync(
            RegistryName.Path(RegistryName.Service(call), "/consumers"), call.Cancellation);
        var list = answer.Read(WireJson.Lenient.ConsumerList);
        call.Answer.Print(answer.Document, () => ToTable("CONSUMER", list.Items));
        return ExitCodes.Ok;
    }

    private static async Task<int> DependenciesAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.GetAsync(
            RegistryName.Path(RegistryName.Service(call), "/dependencies"), call.Cancellation);
        var list = answer.Read(WireJson.Lenient.DependencyList);
        call.Answer.Print(answer.Document, () => ToTable("CONSUMES", list.Items));
        return ExitCodes.Ok;
    }

    private static async Task<int> GraphAsync(Call call)
    {
        var centre = call.Get(ServiceVerbs.OptionalService) is { } typed
            ? RegistryName.Service(typed)
            : (ServiceKey?)null;
        using var connection = call.Connect();
        var answer = await connection.GetAsync(
            ApiPaths.With(
                "registry/graph", ("namespace", centre?.Namespace ?? call.Get(ServiceVerbs.OnlyNamespace)),
                ("service", centre is { } key ? RegistryName.InQuery(key) : null), ("steps", call.Get(Steps)),
                ("limit", RegistryLimits.MaxGraphServices)),
            call.Cancellation);
        var graph = answer.Read(WireJson.Lenient.ServiceGraph);
        call.Answer.Print(answer.Document, () => graph.Edges.Aggregate(
            new Table("CONSUMER", "SERVICE", "HOW", "LAST SEEN", "OPEN BREAKERS") { Empty = "no calls were heard of" },
            (table, edge) => table.Add(
                edge.From, edge.To, string.Join(' ', edge.How), ReadVerbs.Text(edge.LastSeen),
                edge.OpenBreakers == 0 ? "" : ServiceVerbs.Text(edge.OpenBreakers))));
        return ExitCodes.Ok;
    }

    private static Table ToTable(string heading, IEnumerable<ConsumerDocument> items)
    {
        var table = new Table(heading, "INSTANCE", "HOW", "LAST SEEN", "BREAKERS");
        foreach (var service in items)
        {
            foreach (var instance in service.Instances)
                table.Add(
                    service.Namespace.Length == 0
                        ? service.Service
                        : $"{service.Namespace}/{ServiceVerbs.Named(service.Group, service.Service)}",
                    instance.Id, string.Join(' ', instance.How), ReadVerbs.Text(instance.LastSeen),
                    string.Join("; ", (instance.Breakers ?? []).Select(Describe)));
        }
        return table;
    }

    private static string Describe(BreakerDocument breaker) =>
        $"{breaker.Method ?? "all"} {breaker.State} since {ReadVerbs.Text(breaker.Since)}"
        + (breaker.Reason is null ? "" : $" ({breaker.Reason})");
}

using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>service consumers</c> and <c>service dependencies</c>.</summary>
internal static class ConsumerVerbs
{
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

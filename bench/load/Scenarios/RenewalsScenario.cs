using System.Globalization;
using System.Text;
using Groundwork.Load.Peers;
using Groundwork.Load.Wire;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// Renewals over HTTP, authenticated and authorised, one instance a call and a hundred a call, beside an empty handler
/// on the same server software with the same generator.
/// </summary>
internal sealed class RenewalsScenario : Scenario
{
    private const int Instances = 10_000;
    private const int PerService = 10;
    private const int Batch = 100;

    public override string Name => "renewals";

    public override string Question =>
        $"How many calls that renew 1 and {Batch} instances does a node answer a second, beside an empty handler?";

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("renew 1 a call", options => StartNodeAsync(options, 1)),
        new($"renew {Batch} a call", options => StartNodeAsync(options, Batch)),
        new("Kestrel, empty handler", StartEmptyAsync),
    ];

    public override Task<int> ServeAsync(string[] arguments) => EmptyServer.ServeAsync(arguments);

    private Task<Running> StartEmptyAsync(LoadOptions options) =>
        EmptyServer.StartAsync(options, Name, Http1Connection.Request("PUT", "/", "x", Renewals(0, 1)));

    private static async Task<Running> StartNodeAsync(LoadOptions options, int batch)
    {
        var node = await GroundworkNode.StartAsync();
        using (var connection = await node.ConnectAsync())
        {
            for (var number = 0; number < Instances; number++)
                await connection.SendAsync(node.Request("PUT", "registry/instances", Registration(number)));
        }
        // Made beforehand: the generator only sends.
        var requests = Enumerable.Range(0, Instances / batch)
            .Select(number => node.Request("PUT", "registry/renewals", Renewals(number * batch, batch))).ToArray();
        return await Running.OverConnectionsAsync(
            options,
            node.ConnectAsync,
            (connection, number) => connection.SendAsync(requests[number % requests.Length]),
            node.Process,
            node);
    }

    private static string Registration(int number) =>
        $$"""
        {"service":"{{Service(number)}}","id":"i{{number}}","host":"10.0.0.1","port":8080,"leaseSeconds":3600,
        "incarnation":1}
        """;

    private static string Renewals(int first, int count)
    {
        var body = new StringBuilder("""{"renewals":[""");
        for (var number = first; number < first + count; number++)
        {
            if (number > first) body.Append(',');
            body.Append(
                CultureInfo.InvariantCulture,
                $$"""{"service":"{{Service(number)}}","id":"i{{number}}","incarnation":1}""");
        }
        return body.Append("]}").ToString();
    }

    private static string Service(int number) => $"service-{number / PerService}";
}

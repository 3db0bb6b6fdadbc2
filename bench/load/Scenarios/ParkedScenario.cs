using Groundwork.Load.Peers;
using Groundwork.Load.Wire;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// Ten thousand event streams that wait, and one change: from the moment that it is sent until the last of all watchers
/// of what changed has read the last byte of its event.
/// </summary>
internal sealed class ParkedScenario : Scenario
{
    private const int Watchers = 10_000;
    private const int Services = 100;
    private static readonly TimeSpan BetweenChanges = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public override string Name => "parked";

    public override string Question =>
        $"{Watchers} watches are parked: how long until the last that a change concerns has read it?";

    public override int? Workers => 1;

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("all watch one service", _ => StartServicesAsync(1)),
        new("all read one group of settings", _ => StartSettingsAsync()),
        new($"{Watchers / Services} watch each of {Services} services", _ => StartServicesAsync(Services)),
    ];

    private static async Task<Running> StartServicesAsync(int services)
    {
        var node = await GroundworkNode.StartAsync();
        var writer = await node.ConnectAsync();
        for (var service = 0; service < services; service++)
            await writer.SendAsync(Registration(node, service, weight: 100));
        var requests = Enumerable.Range(0, Watchers)
            .Select(number => node.Request("GET", $"registry/watch?namespace=default&service=s{number % services}"))
            .ToArray();
        return await StartAsync(
            node, writer, requests, "event: service", Watchers / services,
            number => Registration(node, number % services, weight: 100 + number / services % 2 + 1));
    }

    private static async Task<Running> StartSettingsAsync()
    {
        var node = await GroundworkNode.StartAsync();
        var writer = await node.ConnectAsync();
        await writer.SendAsync(Setting(node, 0));
        var request = node.Request("GET", "settings/default/watch?group=load&after=1");
        return await StartAsync(
            node, writer, Enumerable.Repeat(request, Watchers).ToArray(), "event: settings", Watchers,
            number => Setting(node, number + 1));
    }

    private static async Task<Running> StartAsync(
        GroundworkNode node, Http1Connection writer, IReadOnlyList<byte[]> requests, string firstLine, int concerned,
        Func<int, byte[]> change)
    {
        var streams = await EventStreams.OpenAsync(node.Port, requests, firstLine, atStart: Watchers, Patience);
        var number = 0;
        return new Running(
            async (_, cancellation) =>
            {
                var seen = streams.Next(concerned);
                await writer.SendAsync(change(number++));
                await seen.WaitAsync(Patience, TimeProvider.System, cancellation);
            },
            node.Process,
            async () =>
            {
                writer.Dispose();
                await streams.DisposeAsync();
                await node.DisposeAsync();
            })
        {
            Pace = BetweenChanges,
        };
    }

    private static byte[] Registration(GroundworkNode node, int service, int weight) => node.Request(
        "PUT", "registry/instances",
        $$"""
        {"service":"s{{service}}","id":"i","host":"10.0.0.1","port":8080,"leaseSeconds":3600,"incarnation":1,
        "weight":{{weight}}}
        """);

    private static byte[] Setting(GroundworkNode node, int number) => node.Request(
        "PUT", "resources/setting/default/load/storefront.yaml",
        $$$"""{"spec":{"format":"yaml","content":"Storefront:\n  Banner: Number {{{number}}}\n"}}""");
}

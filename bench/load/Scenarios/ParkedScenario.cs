using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Groundwork.Load.Peers;
using Groundwork.Load.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// Ten thousand event streams that wait, and one change: from the moment that it is sent until the last of all watchers
/// of what changed has read the last byte of its event. The peer is the same server software with nothing else to do:
/// it writes the bytes of such an event to ten thousand open answers.
/// </summary>
internal sealed class ParkedScenario : Scenario
{
    private const int Watchers = 10_000;
    private const int Services = 100;
    private const int EventBytes = 300;
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
        new("Kestrel, bare writes", _ => StartBareAsync()),
    ];

    public override async Task<int> ServeAsync(string[] arguments)
    {
        if (arguments is not [var text] || !int.TryParse(text, CultureInfo.InvariantCulture, out var port)) return 2;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        var open = new List<PipeWriter>();
        // As long as what a watch of a service with one instance is sent.
        var news = Encoding.UTF8.GetBytes($"event: service\nid: 1\ndata: {new string('x', EventBytes)}\n\n");
        app.MapGet("/watch", async context =>
        {
            await context.Response.BodyWriter.WriteAsync(news);
            lock (open) open.Add(context.Response.BodyWriter);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        });
        app.MapPut("/change", async context =>
        {
            var halves = open.Chunk(Math.Max(1, open.Count / Environment.ProcessorCount));
            await Task.WhenAll(halves.Select(half => Task.Run(async () =>
            {
                foreach (var writer in half) await writer.WriteAsync(news);
            })));
            context.Response.ContentLength = 0;
        });
        await app.StartAsync();
        await ServerProcess.ParentEndsAsync();
        return 0;
    }

    private async Task<Running> StartBareAsync()
    {
        var port = LoopbackPort.Free();
        var server = ServerProcess.StartSelf(Name, $"{port}");
        await LoopbackPort.ConnectableAsync(port);
        var writer = await Http1Connection.OpenAsync(port);
        var watch = Http1Connection.Request("GET", "/watch", accessKey: null);
        var change = Http1Connection.Request("PUT", "/change", accessKey: null, "x");
        return await StartAsync(
            port, server, writer, Enumerable.Repeat(watch, Watchers).ToArray(), "event: service", Watchers,
            _ => change, () => server.DisposeAsync().AsTask());
    }

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
            node.Port, node.Process, writer, requests, "event: service", Watchers / services,
            number => Registration(node, number % services, weight: 100 + number / services % 2 + 1),
            () => node.DisposeAsync().AsTask());
    }

    private static async Task<Running> StartSettingsAsync()
    {
        var node = await GroundworkNode.StartAsync();
        var writer = await node.ConnectAsync();
        await writer.SendAsync(Setting(node, 0));
        var request = node.Request("GET", "settings/default/watch?group=load&after=1");
        return await StartAsync(
            node.Port, node.Process, writer, Enumerable.Repeat(request, Watchers).ToArray(), "event: settings",
            Watchers, number => Setting(node, number + 1), () => node.DisposeAsync().AsTask());
    }

    private static async Task<Running> StartAsync(
        int port, ServerProcess server, Http1Connection writer, IReadOnlyList<byte[]> requests, string firstLine,
        int concerned, Func<int, byte[]> change, Func<Task> stopAsync)
    {
        var streams = await EventStreams.OpenAsync(port, requests, firstLine, atStart: Watchers, Patience);
        var number = 0;
        return new Running(
            async (_, cancellation) =>
            {
                var seen = streams.Next(concerned);
                await writer.SendAsync(change(number++));
                await seen.WaitAsync(Patience, TimeProvider.System, cancellation);
            },
            server,
            async () =>
            {
                writer.Dispose();
                await streams.DisposeAsync();
                await stopAsync();
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

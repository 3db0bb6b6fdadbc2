using Groundwork.Host.CommandLine;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Host.Tests.Verbs;

public sealed class ExplainVerbTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly CommandRun run = new();

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task Explanation_is_a_page_of_reasons_steps_and_events()
    {
        var explanation = new ExplanationDocument(
            "shop", "default", "catalog", "1", Listed: false, Callable: false,
            "shop/catalog/1 is not registered. It was deregistered.",
            [new ExplanationReason("deregistered", "It was deregistered.", At, "operator:olga")],
            ["Start it.", "Look again."],
            [new RegistryEventDocument(At, "deregistered", 7, "deregistered", "shop", "default", "catalog", "1",
                "operator:olga", "a")]);
        await using var node = await run.StubAsync(context => context.Response.WriteAsJsonAsync(explanation));
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("explain", "instance", "shop/catalog/1"));
        Assert.Equal(
            """
            shop/catalog/1 is not registered. It was deregistered.
              - It was deregistered. Since 2030-01-02 03:04:05Z. By operator:olga.
            Next:
              1. Start it.
              2. Look again.

            AT                    EVENT         BY             NODE  REASON
            2030-01-02 03:04:05Z  deregistered  operator:olga  a     deregistered

            """, run.Output);
    }

    [Fact]
    public async Task Consumers_are_listed_by_instance_with_their_open_breakers()
    {
        var breaker = new BreakerDocument("catalog", "open", At, Reason: "slow");
        var consumers = new ConsumerList("shop", "default", "catalog", 3600,
        [
            new ConsumerDocument("", "default", "gateway", At, ["gateway"],
                [new ConsumerInstance("a", At, ["gateway"], "a")]),
            new ConsumerDocument("shop", "blue", "orders", At, ["sdk", "watch"],
                [new ConsumerInstance("7", At, ["sdk", "watch"], "b", [breaker])]),
        ]);
        await using var node = await run.StubAsync(context => context.Response.WriteAsJsonAsync(consumers));
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("service", "consumers", "shop/catalog"));
        Assert.Equal(
            """
            CONSUMER           INSTANCE  HOW        LAST SEEN             BREAKERS
            gateway            a         gateway    2030-01-02 03:04:05Z
            shop/blue@@orders  7         sdk watch  2030-01-02 03:04:05Z  all open since 2030-01-02 03:04:05Z (slow)

            """, run.Output);
    }

    [Fact]
    public async Task Graph_is_printed_as_calls_of_one_service_to_another()
    {
        var graph = new ServiceGraph(
            "s", 7, 3600, 3, 1,
            [
                new ServiceGraphNode("shop/catalog", "shop", "default", "catalog", 2, 2, 2),
                new ServiceGraphNode("shop/orders", "shop", "default", "orders", 1, 1, 1),
            ],
            [new ServiceGraphEdge("shop/orders", "shop/catalog", At, ["sdk", "watch"], 2)]);
        await using var node = await run.StubAsync(context => context.Response.WriteAsJsonAsync(graph));
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("service", "graph", "-n", "shop"));
        Assert.Equal(
            """
            CONSUMER     SERVICE       HOW        LAST SEEN             OPEN BREAKERS
            shop/orders  shop/catalog  sdk watch  2030-01-02 03:04:05Z  2

            """, run.Output);
    }
}

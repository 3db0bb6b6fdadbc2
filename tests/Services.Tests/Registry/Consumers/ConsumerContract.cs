using System.Net;
using System.Net.Http.Json;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using static Groundwork.Services.Tests.Registry.RegistryNodes;

namespace Groundwork.Services.Tests.Registry.Consumers;

/// <summary>Who consumes whom, on whole nodes; one class per engine runs it.</summary>
public abstract class ConsumerContract(PostgresServer? server)
{
    private const string Root = "/groundwork/v1/registry/";

    [Fact]
    public async Task Consumers_of_all_nodes_are_one_list_that_survives_their_restart()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        await ReportAsync(nodes.A, "default/web/1", Answered("orders"));
        await ReportAsync(nodes.B, "default/web/2", Answered("orders"), Answered("stock"));
        await RegisterAsync(nodes.B, LeasedRegistry.Document("x"));
        nodes.ViewOfB.ReportOutcome(LeasedRegistry.Key("x"), CallOutcome.Answered); // As the gateway beside it does.
        string[] expected = [$"gateway/{nodes.B.Node.Name} gateway", "web/1 sdk", "web/2 sdk"];
        foreach (var node in nodes.All)
            await Eventually.PassesAsync(async () => Assert.Equal(expected, await ConsumersAsync(node)));
        await nodes.RestartAsync();
        foreach (var node in nodes.All) Assert.Equal(expected, await ConsumersAsync(node));
        var list = (await nodes.A.Local.GetFromJsonAsync(
            $"{Root}services/default/web/dependencies", WireJson.Strict.DependencyList))!; // A success has a body.
        Assert.Equal(
            ["orders: 1 2", "stock: 2"],
            list.Items.Select(item => $"{item.Service}: {string.Join(' ', item.Instances.Select(one => one.Id))}"));
    }

    [Fact]
    public async Task Graph_is_the_same_on_all_nodes_and_after_their_restart()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        var open = new BreakerDocument("orders", "open", DateTimeOffset.UnixEpoch);
        await ReportAsync(nodes.A, "default/web/1", Answered("orders"));
        await ReportAsync(nodes.B, "default/web/2", Answered("orders"));
        await ReportAsync(nodes.B, "default/blue@@web/1:80:eu", Answered("stock"));
        await PostAsync(nodes.A, new OutcomeBatch([], "default/web/1", [open]));
        await PostAsync(nodes.B, new OutcomeBatch([], "default/web/2", [open]));
        string[] expected = ["default/blue@@web > default/stock sdk", "default/web > default/orders sdk"];
        foreach (var node in nodes.All)
        {
            await Eventually.PassesAsync(async () =>
            {
                var graph = await GraphAsync(node);
                Assert.Equal(expected, graph.Edges.Select(Describe));
                Assert.Equal([0, 2], graph.Edges.Select(edge => edge.OpenBreakers));
            });
        }
        await nodes.RestartAsync();
        foreach (var node in nodes.All) Assert.Equal(expected, (await GraphAsync(node)).Edges.Select(Describe));

        static string Describe(ServiceGraphEdge edge) => $"{edge.From} > {edge.To} {string.Join(' ', edge.How)}";
    }

    [Fact]
    public async Task Breakers_of_a_consumer_are_shown_on_every_node_while_they_are_not_closed()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        var since = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var open = new BreakerDocument("orders", "open", since, Method: "GET /x", Reason: "5 of 8 failed");
        await PostAsync(nodes.A, new OutcomeBatch([], "default/web/1", [open]));
        foreach (var node in nodes.All)
            await Eventually.PassesAsync(
                async () => Assert.Equal(open, Assert.Single(await BreakersAsync(node) ?? [])));
        await PostAsync(nodes.A, new OutcomeBatch([], "default/web/1", [open with { State = "closed" }]));
        foreach (var node in nodes.All)
            await Eventually.PassesAsync(async () => Assert.Null(await BreakersAsync(node)));
    }

    [Fact]
    public async Task Watcher_that_names_itself_is_a_consumer_of_what_it_watches()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        await RegisterAsync(nodes.A, LeasedRegistry.Document("x"));
        using var ending = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Root}watch?namespace=default&service=orders");
        request.Headers.Add(HeaderNames.Caller, "default/web/1");
        using var watch = await nodes.A.Local.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, watch.StatusCode);
        foreach (var node in nodes.All)
            await Eventually.PassesAsync(async () => Assert.Equal(["web/1 watch"], await ConsumersAsync(node)));
    }

    private static OutcomeDocument Answered(string service) => new(service, "x", "answered", 3);

    private static Task ReportAsync(RunningNode node, string caller, params OutcomeDocument[] outcomes) =>
        PostAsync(node, new OutcomeBatch(outcomes, caller));

    private static async Task PostAsync(RunningNode node, OutcomeBatch batch)
    {
        using var answer = await node.Local.PostAsJsonAsync(Root + "outcomes", batch, WireJson.Strict.OutcomeBatch);
        Assert.True(answer.StatusCode == HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<ConsumerList> ListAsync(RunningNode node) => (await node.Local.GetFromJsonAsync(
        $"{Root}services/default/orders/consumers", WireJson.Strict.ConsumerList))!; // A success has a body.

    private static async Task<ServiceGraph> GraphAsync(RunningNode node) => (await node.Local.GetFromJsonAsync(
        $"{Root}graph", WireJson.Strict.ServiceGraph))!; // A success has a body.

    private static async Task<string[]> ConsumersAsync(RunningNode node) =>
        [.. (await ListAsync(node)).Items.SelectMany(item => item.Instances
            .Select(one => $"{item.Service}/{one.Id} {string.Join(' ', one.How)}"))];

    private static async Task<IReadOnlyList<BreakerDocument>?> BreakersAsync(RunningNode node) =>
        Assert.Single(Assert.Single((await ListAsync(node)).Items).Instances).Breakers;
}

public sealed class SqliteConsumerTests() : ConsumerContract(server: null);

public sealed class PostgresConsumerTests(PostgresServer server) : ConsumerContract(server);

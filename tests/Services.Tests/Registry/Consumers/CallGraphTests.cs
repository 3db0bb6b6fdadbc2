using System.Net;
using System.Net.Http.Json;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Consumers;
using Groundwork.Services.Registry.Policies;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry.Consumers;

public sealed class CallGraphTests
{
    private static readonly DateTimeOffset At = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Calls_of_one_service_to_another_are_one_edge_however_they_were_heard()
    {
        var graph = new CallGraph(_ => true);
        graph.Add(Call("shop/web/", "shop/orders", ConsumerBook.Watch, At));
        graph.Add(Call("shop/web/", "shop/orders", ConsumerBook.Sdk, At.AddMinutes(1), breakers: 2));
        graph.Add(Call("gateway/", "shop/web", ConsumerBook.Gateway, At));
        var written = graph.Write("s", 7, 100);
        Assert.Equal(
            ["gateway > shop/web gateway 0", "shop/web > shop/orders sdk,watch 2"],
            written.Edges.Select(edge =>
                $"{edge.From} > {edge.To} {string.Join(',', edge.How)} {edge.OpenBreakers}"));
        Assert.Equal(At.AddMinutes(1), written.Edges[1].LastSeen);
        Assert.All(written.Nodes, node => Assert.False(node.Registered)); // Nobody has registered them.
    }

    [Fact]
    public void Nothing_is_told_of_a_service_that_the_caller_may_not_discover()
    {
        var graph = new CallGraph(key => key.Namespace == "shop");
        graph.Add(View("secret/vault"));
        graph.Add(View("shop/orders"));
        graph.Add(Call("shop/orders/", "secret/vault"));
        graph.Add(Call("secret/vault/", "shop/orders"));
        graph.Add(Call("secret/vault/", "shop/ghost"));
        var written = graph.Write("s", 7, 100);
        Assert.Equal("shop/orders", Assert.Single(written.Nodes).Id);
        Assert.Empty(written.Edges);
        Assert.Equal((1, 1), (written.Services, written.WithoutCalls));
    }

    [Fact]
    public void Namespace_shows_its_services_and_those_of_others_that_they_meet()
    {
        var graph = Chain();
        graph.KeepNamespace("n1");
        var written = graph.Write("s", 7, 100);
        Assert.Equal(["n0/a", "n1/a", "n1/alone", "n2/a"], written.Nodes.Select(node => node.Id).Order());
        Assert.Equal(["n0/a>n1/a", "n1/a>n2/a"], Edges(written));
    }

    [Theory]
    [InlineData(1, "n1/a>n2/a", "n2/a>n3/a")]
    [InlineData(2, "n0/a>n1/a", "n1/a>n2/a", "n2/a>n3/a", "n3/a>n4/a")]
    [InlineData(5, "n0/a>n1/a", "n1/a>n2/a", "n2/a>n3/a", "n3/a>n4/a", "n4/a>n5/a")]
    public void Neighbourhood_of_a_service_goes_as_many_calls_in_both_directions(int steps, params string[] edges)
    {
        var graph = Chain();
        graph.KeepAround(new ServiceKey("n2", "default", "a"), steps);
        Assert.Equal(edges, Edges(graph.Write("s", 7, 100)));
    }

    [Fact]
    public void What_does_not_fit_is_what_is_connected_least_and_is_counted()
    {
        var graph = new CallGraph(_ => true);
        for (var i = 0; i < 50; i++) graph.Add(View($"shop/alone-{i:00}"));
        for (var i = 0; i < 20; i++) graph.Add(Call($"shop/web-{i:00}/", "shop/orders"));
        var written = graph.Write("s", 7, 10);
        Assert.Equal(10, written.Nodes.Count);
        Assert.Equal("shop/orders", written.Nodes[0].Id);
        Assert.Equal(9, written.Edges.Count); // To those that are shown, and to no others.
        Assert.Equal((71, 50), (written.Services, written.WithoutCalls));
    }

    [Fact]
    public async Task Graph_of_a_namespace_has_its_services_with_their_state()
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("x"));
        await open.RegisterAsync(LeasedRegistry.Document("y") with { Weight = 0 });
        var batch = new OutcomeBatch([new OutcomeDocument("orders", "x", "answered", 1)], "default/web/1");
        using (var sent = await open.SendAsync(
            HttpMethod.Post, "outcomes", JsonContent.Create(batch, WireJson.Strict.OutcomeBatch)))
            Assert.Equal(HttpStatusCode.NoContent, sent.StatusCode);
        open.Say(ServicePolicyKind.Kind, "default/orders", new ServicePolicySpec(Maintenance: true));
        using var answer = await open.SendAsync(HttpMethod.Get, "graph?namespace=default");
        var graph = (await answer.Content.ReadFromJsonAsync(WireJson.Strict.ServiceGraph))!; // A success has a body.
        Assert.Equal(
            [
                new ServiceGraphNode("default/orders", "default", "default", "orders", 2, 2, 0, Maintenance: true),
                new ServiceGraphNode("default/web", "default", "default", "web", 0, 0, 0, Registered: false),
            ],
            graph.Nodes);
        Assert.Equal(["default/web>default/orders"], Edges(graph));
        using var nobody = await open.SendAsync(HttpMethod.Get, "graph?namespace=default", may: "renew");
        Assert.Empty((await nobody.Content.ReadFromJsonAsync(WireJson.Strict.ServiceGraph))!.Nodes);
    }

    [Theory]
    [InlineData("limit=0", HttpStatusCode.BadRequest)]
    [InlineData("limit=2001", HttpStatusCode.BadRequest)]
    [InlineData("steps=0&service=orders", HttpStatusCode.BadRequest)]
    [InlineData("steps=6&service=orders", HttpStatusCode.BadRequest)]
    [InlineData("namespace=No%20Such", HttpStatusCode.UnprocessableEntity)]
    [InlineData("service=a%20b", HttpStatusCode.UnprocessableEntity)]
    public async Task Graph_outside_its_bounds_is_refused(string query, HttpStatusCode status)
    {
        await using var open = await OpenRegistry.StartAsync();
        using var answer = await open.SendAsync(HttpMethod.Get, "graph?" + query);
        Assert.Equal(status, answer.StatusCode);
    }

    /// <summary>n0/a calls n1/a, that n2/a, and so on to n5/a; and n1/alone.</summary>
    private static CallGraph Chain()
    {
        var graph = new CallGraph(_ => true);
        graph.Add(View("n1/alone"));
        for (var i = 0; i < 5; i++) graph.Add(Call($"n{i}/a/", $"n{i + 1}/a"));
        return graph;
    }

    private static string[] Edges(ServiceGraph graph) => [.. graph.Edges.Select(edge => $"{edge.From}>{edge.To}")];

    private static ServiceKey Key(string text) =>
        ServiceKey.TryParse(text, "default", out var key) ? key.Value : throw new ArgumentException(text);

    private static ServiceView View(string key) => ServiceView.Of(Key(key), 1, [], 0.5);

    private static ConsumerEdge Call(
        string consumer,
        string service,
        string how = ConsumerBook.Sdk,
        DateTimeOffset at = default,
        int breakers = 0) => new(new ConsumerLink(Key(service), consumer, how), at, breakers);
}

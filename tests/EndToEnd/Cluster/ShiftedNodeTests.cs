using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd.Cluster;

/// <summary>A node whose clock is an hour off is a node like the others: the database's clock decides.</summary>
[Collection(LoadedMachine.Name)]
public sealed class ShiftedNodeTests(PostgresServer server)
{
    private const string Service = "shifted";

    [Fact]
    public async Task Node_whose_clock_is_an_hour_off_lives_and_serves_like_the_other()
    {
        using var clock = ShiftedClock.Require();
        clock.Shift(TimeSpan.FromHours(1));
        await using var pair = await NodePair.StartAsync(server, clock.Environment);
        using var a = pair.A.Local();
        using var b = pair.B.Local();

        var first = await RegisterAsync(b, weight: 1);
        var halfWay = TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(30);
        Assert.True(first.Incarnation > halfWay.ToUnixTimeMilliseconds(), "b's clock is not off");
        await ListsAsync(a, weight: 1);
        var second = await RegisterAsync(a, weight: 2); // The same instance, changed, by way of the other clock.
        Assert.True(second.Incarnation > first.Incarnation);
        await ListsAsync(b, weight: 2);
        var third = await RegisterAsync(b, weight: 3);
        Assert.True(third.Incarnation > second.Incarnation);
        await ListsAsync(a, weight: 3);

        foreach (var client in new[] { a, b })
        {
            await Eventually.PassesAsync(async () =>
            {
                var list = await client.GetFromJsonAsync("nodes", WireJson.Lenient.NodeList);
                Assert.Equal([("a", "live"), ("b", "live")], list!.Items.Select(node => (node.Name, node.State)));
                var (one, other) = (list.Items[0], list.Items[1]);
                Assert.InRange((one.LeaseUntil - other.LeaseUntil).Duration().TotalMinutes, 0, 10);
                Assert.InRange((one.StartedAt - other.StartedAt).Duration().TotalMinutes, 0, 10);
            });
        }
    }

    private static async Task<RegistrationAnswer> RegisterAsync(HttpClient client, int weight)
    {
        using var response = await client.PutAsJsonAsync(
            "registry/instances", new InstanceDocument(Service, "10.0.0.1", 8080, Id: "one", Weight: weight),
            WireJson.Strict.InstanceDocument);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync(WireJson.Lenient.RegistrationAnswer))!;
    }

    private static Task ListsAsync(HttpClient client, int weight) => Eventually.PassesAsync(async () =>
    {
        var service = await client.GetFromJsonAsync(
            $"registry/services/default/{Service}", WireJson.Lenient.ServiceDocument);
        Assert.Equal(weight, Assert.Single(service!.Instances).Weight);
    });
}

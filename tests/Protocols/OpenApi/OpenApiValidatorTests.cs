using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.OpenApi;

/// <summary>
/// The same requests to a gateway that holds them to a document, and to a server with npm's express-openapi-validator,
/// as published, that does: each must let pass what the other does, but for what is listed.
/// </summary>
public sealed class OpenApiValidatorTests(NpmClients clients)
{
    private const int Requests = 1_500;

    /// <summary>Where the two differ, and who is right; every line must be met.</summary>
    private static readonly (string Why, Func<GeneratedRequest, bool> Applies, bool Passes)[] Differences =
    [
        ("a plus in a query is a space (HTML, 4.10.21.8), and it asks for allowReserved",
            request => request.Target.Contains("q=a+b", StringComparison.Ordinal), true),
        ("a list in a form may have one item, and it takes that for no list",
            request => request.Body?.Split('&').Count(
                field => field.StartsWith("notes=", StringComparison.Ordinal)) == 1,
            true),
    ];

    [Fact]
    public async Task What_fits_and_what_does_not_is_what_another_validator_says()
    {
        var registry = new RegistryModule();
        await using var node = await RunningNode.StartAsync(
            [registry, new GatewayModule(() => registry.View, new GatewayOptions())]);
        using var document = JsonDocument.Parse(
            await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Clients", "openapi.json")));
        var changes = node.Node.Changes ?? throw new InvalidOperationException("The node has a store.");
        var route = new RouteSpec(
            new MatchSpec(["127.0.0.1"], "/**"), Respond: new AnswerSpec(200),
            OpenApi: new OpenApiSpec("shop", "block"));
        await MustAsync(changes, Change.Put(
            OpenApiDocumentKind.Kind, "default", "shop", new OpenApiDocumentSpec(document.RootElement.Clone())));
        await MustAsync(changes, Change.Put(RouteKind.Kind, "default", "shop", route));

        await using var client = clients.Run("openapi.mjs");
        Assert.Equal("5.6.2", (await client.NextAsync("ready")).GetProperty("version").GetString());
        var port = node.Node.Listeners.AddressesOf(ListenerDefinition.Gateway)[0].Port;
        await client.TellAsync(JsonSerializer.Serialize(new { port }));
        var random = new Random(20261122);
        var wrong = new HashSet<string>(StringComparer.Ordinal);
        var met = new HashSet<string>(StringComparer.Ordinal);
        var (passed, refused) = (0, 0);
        for (var index = 0; index < Requests; index++)
        {
            var request = GeneratedRequest.Next(random);
            await client.TellAsync(request.ToJson());
            var judged = await client.NextAsync("judged");
            var ours = judged.GetProperty("ours").GetProperty("status").GetInt32() == 200;
            var theirs = judged.GetProperty("theirs").GetProperty("status").GetInt32() == 200;
            Assert.InRange(judged.GetProperty("theirs").GetProperty("status").GetInt32(), 200, 499);
            if (ours) passed++;
            else refused++;
            if (ours == theirs) continue;
            var known = Differences.FirstOrDefault(one => one.Passes == ours && one.Applies(request));
            if (known.Why is { } why) met.Add(why);
            else
                wrong.Add($"{request}\n  ours: {judged.GetProperty("ours")}\n  theirs: {judged.GetProperty("theirs")}");
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} differ:\n" + string.Join('\n', wrong.Take(40)));
        Assert.Equal(Differences.Select(one => one.Why).Order(), met.Order());
        // Neither says yes to all, nor no.
        Assert.InRange(passed, Requests / 5, Requests);
        Assert.InRange(refused, Requests / 5, Requests);
    }

    private static async Task MustAsync(ChangeLog changes, Change change)
    {
        var outcome = await changes.CommitAsync(
            new Changeset(Principal.System("test"), [change]), CancellationToken.None);
        Assert.True(outcome.Succeeded, outcome.Fault?.ToString());
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>What <c>up</c> grants to the services that it runs, and what is left of that.</summary>
public sealed class UpGrantTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    [Fact]
    public async Task Key_of_a_service_reaches_its_own_instances_and_its_own_namespace()
    {
        await using var up = await StartUpAsync("shop");
        using var local = up.Local();
        foreach (var ns in new[] { "shop", "default" })
        {
            using var put = await local.PutAsJsonAsync(
                $"resources/setting/{ns}/app/name", new { spec = new { format = "text", content = ns } });
            Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync());
        }
        using var service = new HttpClient { BaseAddress = new Uri(up.Node.ApiAddress + "/groundwork/v1/") };
        service.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer", (await File.ReadAllTextAsync(Path.Combine(up.DataDirectory, "up", "catalog.key"))).Trim());

        // Its own.
        Assert.Equal(HttpStatusCode.OK, await RegisterAsync(service, "catalog", "shop"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(service, "resources/setting/shop/app/name"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(service, "registry/services/shop/orders"));
        Assert.Equal(["app/name"], await SettingsAsync(service, "shop"));

        // Another service, another namespace, another group, another verb, another kind.
        Assert.Equal(HttpStatusCode.Forbidden, await RegisterAsync(service, "orders", "shop"));
        Assert.Equal(HttpStatusCode.Forbidden, await RegisterAsync(service, "catalog", "default"));
        Assert.Equal(HttpStatusCode.Forbidden, await RegisterAsync(service, "blue@@catalog", "shop"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(service, "resources/setting/default/app/name"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(service, "registry/services/default/orders"));
        Assert.Empty(await SettingsAsync(service, "default"));
        using var gone = await service.DeleteAsync("registry/instances/shop/orders/orders-1");
        Assert.Equal(HttpStatusCode.Forbidden, gone.StatusCode);
        using var drained = await service.PostAsync("registry/instances/shop/orders/orders-1/drain", content: null);
        Assert.Equal(HttpStatusCode.Forbidden, drained.StatusCode);
        using var written = await service.PutAsJsonAsync(
            "resources/setting/shop/app/name", new { spec = new { format = "text", content = "mine" } });
        Assert.Equal(HttpStatusCode.Forbidden, written.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(service, "resources/access-key/_/up/shop/orders"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(service, "audit"));
    }

    [Fact]
    public async Task What_a_killed_up_left_goes_with_the_next_one_however_much_it_is()
    {
        const int left = 1_200; // More than a page of the API.
        await using (var killed = await StartUpAsync("before"))
        {
            using var local = killed.Local();
            await MakeKeysAsync(local, left);
            killed.Signal(Signals.Kill);
            await killed.ExitAsync();
        }

        await using (var up = await StartUpAsync("shop"))
        {
            using var local = up.Local();
            Assert.Equal(["up/shop/catalog", "up/shop/orders"], await NamesAsync(local, "access-key"));
            Assert.Equal([BuiltInRoles.AnonymousLoopback], await NamesAsync(local, "role"));
            var role = await local.GetStringAsync($"resources/role/_/{BuiltInRoles.AnonymousLoopback}");
            Assert.DoesNotContain("before", role, StringComparison.Ordinal);
            up.Signal(Signals.Terminate);
            Assert.Equal(0, await up.ExitAsync());
        }

        await using var node = await GroundworkProcess.StartAsync(
            directory.Combine("data"), ["run", .. GroundworkProcess.AnyPorts]);
        using var after = node.Local();
        Assert.Empty(await NamesAsync(after, "access-key"));
        Assert.Empty(await NamesAsync(after, "role"));
    }

    public void Dispose() => directory.Dispose();

    private async Task<GroundworkProcess> StartUpAsync(string ns)
    {
        directory.Write("app/up.yaml", $$"""
            namespace: {{ns}}
            services:
              catalog: {command: [sh, -c, "echo catalog runs; exec sleep 1000"]}
              orders: {command: [sh, -c, "exec sleep 1000"]}
            """);
        var up = await GroundworkProcess.StartAsync(directory.Combine("data"), "up", directory.Combine("app"));
        await up.PrintsAsync("catalog runs");
        return up;
    }

    private static async Task<HttpStatusCode> RegisterAsync(HttpClient client, string service, string ns)
    {
        using var answer = await client.PutAsJsonAsync(
            "registry/instances", new InstanceDocument(service, "127.0.0.1", 9) { Namespace = ns },
            WireJson.Strict.InstanceDocument);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        return answer.StatusCode;
    }

    private static async Task<IEnumerable<string>> SettingsAsync(HttpClient client, string ns)
    {
        var snapshot = await client.GetFromJsonAsync($"settings/{ns}?group=app", WireJson.Lenient.SettingSnapshot);
        return [.. snapshot!.Settings.Select(setting => $"{setting.Group}/{setting.DataId}")];
    }

    private static async Task<IEnumerable<string>> NamesAsync(HttpClient client, string kind)
    {
        var list = await client.GetFromJsonAsync($"resources/{kind}?limit=1000", WireJson.Lenient.ResourceList);
        return [.. list!.Items.Select(resource => resource.Name)];
    }

    private static async Task MakeKeysAsync(HttpClient client, int count)
    {
        foreach (var some in Enumerable.Range(0, count).Chunk(400))
        {
            using var answer = await client.PostAsJsonAsync(
                "changesets",
                new ChangesetRequest([.. some.Select(number => new ChangeDocument("put", new ResourceDocument(
                    "access-key", $"up/before/left-{number:0000}", "", Spec: Spec())))]),
                WireJson.Strict.ChangesetRequest);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }
    }

    private static JsonElement Spec() => JsonSerializer.SerializeToElement(
        new JsonObject { ["hash"] = AccessKeys.Mint().Hash, ["roles"] = new JsonArray(BuiltInRoles.Reader) });
}

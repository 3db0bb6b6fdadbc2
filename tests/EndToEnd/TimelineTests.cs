using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>What the console's timeline, proposals and audit pages ask the API for.</summary>
public sealed class TimelineTests
{
    private const string Root = "/groundwork/v1";

    [Fact]
    public async Task Timeline_is_filtered_by_author_and_start_of_name_and_can_leave_specs_out()
    {
        await using var product = await Product.StartAsync();
        await PutAsync(product.Local, "a/one.yaml", "A: 1");
        var other = product.Client(await product.MintAsync("robot", [BuiltInRoles.Administrator]));
        await PutAsync(other, "a/two.yaml", "A: 2");
        await PutAsync(other, "b/one.yaml", "A: 3");
        await PutAsync(other, "a/one.yaml", "A: 4");

        Assert.Equal(["a/one.yaml", "b/one.yaml", "a/two.yaml"], await NamesAsync("author=key:robot"));
        Assert.Equal(["a/one.yaml", "a/two.yaml"], await NamesAsync("author=key:robot&prefix=a/"));
        Assert.Equal(["a/one.yaml", "a/one.yaml"], await NamesAsync("name=a/one.yaml&kind=setting"));
        var newest = (await ChangesetsAsync("limit=1"))[0]?["changes"]?[0];
        Assert.Equal("A: 4", (string?)newest?["resource"]?["spec"]?["content"]);
        Assert.True(newest?["prior"]?.GetValue<long>() > 0);
        var light = (await ChangesetsAsync("limit=1&specs=false"))[0]?["changes"]?[0]?["resource"];
        Assert.Equal("a/one.yaml", (string?)light?["name"]);
        Assert.Null(light?["spec"]);

        async Task<JsonArray> ChangesetsAsync(string query) =>
            (await product.Local.GetFromJsonAsync<JsonObject>($"{Root}/changesets?{query}"))!["items"]!.AsArray();

        async Task<IEnumerable<string?>> NamesAsync(string query) =>
            (await ChangesetsAsync(query)).Select(one => (string?)one?["changes"]?[0]?["resource"]?["name"]);
    }

    [Fact]
    public async Task Proposal_tells_its_policy_and_what_has_changed_since_and_those_that_wait_come_first()
    {
        await using var product = await Product.StartAsync();
        var author = product.Client(await product.MintAsync("author", [BuiltInRoles.Administrator]));
        await PutAsync(author, "shop/a.yaml", "A: 1");
        await MustAsync(product.Local.PutAsJsonAsync($"{Root}/resources/approval-policy/_/four-eyes", new
        {
            spec = new { kinds = new[] { "setting" }, namespaces = new[] { "*" }, names = new[] { "shop/*" } },
        }));
        await PutAsync(author, "shop/a.yaml", "A: 2");
        await PutAsync(author, "shop/a.yaml", "A: 3");
        var waiting = await ProposalsAsync("?state=proposed");
        Assert.Equal(2, waiting.Count);
        Assert.All(waiting, one => Assert.Equal("four-eyes", (string?)one?["policy"]));
        Assert.All(waiting, one => Assert.Null(one?["outdated"]));

        // The author may not release it, whatever the roles; another person may, and the other one is then outdated.
        var name = (string?)waiting[0]?["name"];
        using var refused = await author.PostAsync($"{Root}/proposals/{name}/approve", null);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("approval_by_author", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await MustAsync(product.Local.PostAsync($"{Root}/proposals/{name}/approve", null));
        var left = Assert.Single(await ProposalsAsync("?state=proposed"));
        Assert.Equal(0, left?["outdated"]?[0]?.GetValue<int>());
        Assert.Equal(["proposed", "released"], (await ProposalsAsync("")).Select(one => (string?)one?["state"]));
        Assert.Equal("released", (string?)Assert.Single(await ProposalsAsync("?state=released"))?["state"]);

        async Task<JsonArray> ProposalsAsync(string query) =>
            await product.Local.GetFromJsonAsync<JsonArray>($"{Root}/proposals{query}") ?? [];
    }

    [Fact]
    public async Task Verification_can_be_followed_and_ends_with_what_it_found()
    {
        await using var product = await Product.StartAsync();
        for (var batch = 0; batch < 3; batch++)
        {
            await MustAsync(product.Local.PostAsJsonAsync($"{Root}/changesets", new
            {
                changes = Enumerable.Range(0, 500).Select(number => new
                {
                    operation = "put",
                    resource = new
                    {
                        kind = "setting", name = $"many/{batch}-{number}.txt",
                        spec = new { format = "text", content = $"{batch}-{number}" },
                    },
                }),
            }));
        }
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Root}/audit/verification");
        using var answer = await product.Local.SendAsync(request);
        Assert.Equal(new MediaTypeHeaderValue("text/event-stream"), answer.Content.Headers.ContentType);
        var events = (await answer.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("event: verification\n", events[^1], StringComparison.Ordinal);
        Assert.Contains("\"intact\":true", events[^1], StringComparison.Ordinal);
        Assert.Contains(events, one => one.StartsWith("event: progress\n", StringComparison.Ordinal));
        using var anonymous = await product.Client().GetAsync($"{Root}/audit/verification");
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
    }

    private static Task PutAsync(HttpClient client, string name, string content) => MustAsync(client.PutAsJsonAsync(
        $"{Root}/resources/setting/default/{name}", new { spec = new { format = "yaml", content } }));

    private static async Task MustAsync(Task<HttpResponseMessage> call)
    {
        using var answer = await call;
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>One stream for everything that the tab of a browser hears of.</summary>
public sealed class EventsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task One_stream_carries_changes_services_and_what_the_caller_may_do()
    {
        await using var product = await Product.StartAsync();
        await using var stream = await StreamAsync(product.Local, "?after=0");
        await PutAsync(product, "first");
        await RegisterAsync(product);

        var access = await stream.UntilAsync("access", _ => true);
        Assert.StartsWith("local:", Text(access, "principal"), StringComparison.Ordinal);
        await stream.UntilAsync("change", news => news.Data.Contains("\"first\"", StringComparison.Ordinal));
        var service = await stream.UntilAsync("service", news => Text(news, "service") == "catalog");
        Assert.DoesNotContain("10.0.0.9", service.Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reader_that_comes_back_goes_on_after_the_last_change_and_misses_none()
    {
        await using var product = await Product.StartAsync();
        string place;
        await using (var stream = await StreamAsync(product.Local, ""))
        {
            await PutAsync(product, "before");
            place = (await stream.UntilAsync("change", news => Names(news, "before"))).EventId!; // Changes have ids.
        }
        await PutAsync(product, "between-1");
        await PutAsync(product, "between-2");

        await using var again = await StreamAsync(product.Local, $"?source=changes&token={place}");
        var heard = new List<string>();
        while (heard.Count < 2) heard.Add((await again.UntilAsync("change", _ => true)).Data);
        Assert.Contains("between-1", heard[0], StringComparison.Ordinal);
        Assert.Contains("between-2", heard[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Role_that_changes_and_a_key_that_is_revoked_are_told_at_once()
    {
        await using var product = await Product.StartAsync();
        await PutRoleAsync(product, ["read", "write"]);
        var key = await product.MintAsync("reader", ["narrow"]);
        await using var stream = await StreamAsync(product.Client(key), "");
        Assert.Contains("\"write\"", (await stream.UntilAsync("access", _ => true)).Data, StringComparison.Ordinal);

        await PutRoleAsync(product, ["read"]);
        Assert.DoesNotContain(
            "\"write\"", (await stream.UntilAsync("access", _ => true)).Data, StringComparison.Ordinal);

        await product.Local.DeleteAsync("/groundwork/v1/resources/access-key/_/reader");
        var problem = await stream.UntilAsync("problem", _ => true);
        Assert.Contains("unauthenticated", problem.Data, StringComparison.Ordinal);
        Assert.Null(await stream.NextAsync());
    }

    [Theory]
    [InlineData("?source=changes&source=weather", HttpStatusCode.BadRequest, "bad_request")]
    [InlineData("?source=changes&token=nonsense", HttpStatusCode.BadRequest, "bad_request")]
    [InlineData("?source=changes&after=-1", HttpStatusCode.NotFound, "revision_unknown")]
    public async Task What_is_wrong_before_the_first_event_is_an_answer(
        string query, HttpStatusCode status, string code)
    {
        await using var product = await Product.StartAsync();
        using var answer = await product.Local.GetAsync(
            "/groundwork/v1/events" + query, HttpCompletionOption.ResponseHeadersRead);
        var problem = await answer.Content.ReadFromJsonAsync(WireJson.Strict.ProblemDocument);
        Assert.Equal((status, code), (answer.StatusCode, problem?.Code));
    }

    [Fact]
    public async Task Stream_ends_when_the_node_stops()
    {
        await using var product = await Product.StartAsync();
        await using var stream = await StreamAsync(product.Local, "");
        await stream.UntilAsync("access", _ => true);
        await product.StopAsync();
        while (await stream.NextAsync() is { } news) Assert.NotEqual("problem", news.EventType);
    }

    [Fact]
    public async Task Who_may_do_something_is_told_with_the_role_that_grants_it()
    {
        await using var product = await Product.StartAsync();
        await PutRoleAsync(product, ["write"]);
        await product.MintAsync("writer", ["narrow"]);
        await product.MintAsync("own", [], [new Grant(["write"], ["namespace"], null, ["shop"])]);
        await product.MintAsync("reader", ["reader"]);

        var list = await product.Local.GetFromJsonAsync(
            "/groundwork/v1/access?verb=write&kind=namespace&namespace=_&name=shop", WireJson.Strict.AccessList);
        Assert.NotNull(list);
        Assert.Equal(["key:own", "key:writer", "operator:admin"], list.Items.Select(one => one.Principal));
        Assert.Equal([null, "narrow", "administrator"], list.Items.Select(one => one.Grants.Single().Role));

        using var other = product.Client(await product.MintAsync("blind", ["narrow"]));
        var seen = await other.GetFromJsonAsync(
            "/groundwork/v1/access?verb=write&kind=namespace&name=shop", WireJson.Strict.AccessList);
        Assert.Empty(seen!.Items); // It may not read operators and keys.
    }

    private static async Task PutRoleAsync(RunningNode product, string[] verbs)
    {
        var body = JsonSerializer.SerializeToElement(
            new { grants = new[] { new { verbs, kinds = new[] { "namespace" } } } });
        (await product.Local.PutAsJsonAsync("/groundwork/v1/resources/role/_/narrow", new { spec = body }))
            .EnsureSuccessStatusCode();
    }

    private static async Task PutAsync(RunningNode product, string name) =>
        (await product.Local.PutAsJsonAsync($"/groundwork/v1/resources/namespace/_/{name}", new { spec = new { } }))
            .EnsureSuccessStatusCode();

    private static async Task RegisterAsync(RunningNode product) =>
        (await product.Local.PutAsJsonAsync(
            "/groundwork/v1/registry/instances", new { service = "catalog", host = "10.0.0.9", port = 80, id = "a" }))
            .EnsureSuccessStatusCode();

    private static bool Names(SseItem<string> news, string name) =>
        news.Data.Contains($"\"{name}\"", StringComparison.Ordinal);

    private static string? Text(SseItem<string> news, string field)
    {
        using var document = JsonDocument.Parse(news.Data);
        return document.RootElement.GetProperty(field).GetString();
    }

    private static async Task<Reading> StreamAsync(HttpClient client, string query)
    {
        var answer = await client.GetAsync(
            "/groundwork/v1/events" + query, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        return new Reading(answer, SseParser.Create(await answer.Content.ReadAsStreamAsync()).EnumerateAsync());
    }

    private sealed class Reading(HttpResponseMessage answer, IAsyncEnumerable<SseItem<string>> events)
        : IAsyncDisposable
    {
        private readonly IAsyncEnumerator<SseItem<string>> items = events.GetAsyncEnumerator();

        public async Task<SseItem<string>?> NextAsync() =>
            await items.MoveNextAsync().AsTask().WaitAsync(Patience) ? items.Current : null;

        public async Task<SseItem<string>> UntilAsync(string type, Func<SseItem<string>, bool> wanted)
        {
            while (await NextAsync() is { } news)
                if (news.EventType == type && wanted(news)) return news;
            throw new InvalidOperationException($"The stream ended without the {type} that was waited for.");
        }

        public async ValueTask DisposeAsync()
        {
            answer.Dispose();
            await items.DisposeAsync();
        }
    }
}

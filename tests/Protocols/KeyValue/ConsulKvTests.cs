using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.KeyValue;

/// <summary>npm's consul 2.0.1 against the key-value store: keys, sessions and locks, transactions, watches.</summary>
public sealed class ConsulKvTests(NpmClients clients) : IAsyncLifetime
{
    private RunningNode node = null!; // Started before every test.
    private string key = "";

    public async ValueTask InitializeAsync()
    {
        node = await RunningNode.StartAsync([new RegistryModule(), new KeyValueModule()]);
        key = await node.MintAsync("all", [BuiltInRoles.Administrator]);
    }

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Fact]
    public async Task Keys_are_set_read_listed_compared_and_deleted()
    {
        var seen = await RunAsync("kv");
        Assert.True(seen.GetProperty("missing").GetBoolean());
        Assert.True(seen.GetProperty("set").GetBoolean());
        var one = seen.GetProperty("one");
        Assert.Equal("config/a b", one.GetProperty("Key").GetString());
        Assert.Equal("one", one.GetProperty("Value").GetString());
        Assert.Equal(one.GetProperty("CreateIndex").GetInt64(), one.GetProperty("ModifyIndex").GetInt64());
        Assert.Equal(
            """[["config/a b",0,"one"],["config/deep/%2F",0,"three"],["config/deep/c",42,"two"]]""",
            seen.GetProperty("tree").ToString());
        Assert.Equal("""["config/a b","config/deep/%2F","config/deep/c"]""", seen.GetProperty("keys").ToString());
        Assert.Equal("""["config/a b","config/deep/"]""", seen.GetProperty("folders").ToString());
        Assert.Equal("one", seen.GetProperty("raw").GetString());
        Assert.Equal("True False True False", Booleans(seen, "casNew", "casAgain", "casRight", "casWrong"));
        Assert.Equal("False True", Booleans(seen, "delWrong", "delTree"));
        Assert.Equal("""["config/a b","config/cas"]""", seen.GetProperty("left").ToString());
        Assert.Equal(404, StatusOf(seen, "noKeys"));
        Assert.Equal(413, StatusOf(seen, "tooLong"));
    }

    [Fact]
    public async Task Sessions_hold_locks_and_end_with_what_they_held()
    {
        var seen = await RunAsync("session");
        Assert.Equal("True False True", Booleans(seen, "taken", "other", "again"));
        var held = seen.GetProperty("held");
        Assert.Equal(seen.GetProperty("first").GetString(), held.GetProperty("Session").GetString());
        Assert.Equal("plain", held.GetProperty("Value").GetString());
        Assert.Equal(1, held.GetProperty("LockIndex").GetInt32());
        Assert.Equal("False True True", Booleans(seen, "releasedByOther", "released", "takenByOther"));
        Assert.False(seen.GetProperty("free").TryGetProperty("Session", out _));
        Assert.Equal(500, StatusOf(seen, "unknown"));
        Assert.Equal("10s", seen.GetProperty("renewed")[0].GetProperty("TTL").GetString());
        Assert.Equal("worker", seen.GetProperty("info").GetProperty("Name").GetString());
        Assert.Equal(2, seen.GetProperty("listed").GetArrayLength());
        Assert.True(seen.GetProperty("deleted").GetBoolean());
        Assert.Equal(404, StatusOf(seen, "gone"));
        Assert.Equal(400, StatusOf(seen, "badTtl"));
    }

    [Fact]
    public async Task Transaction_is_done_whole_or_not_at_all()
    {
        var seen = await RunAsync("txn");
        var results = seen.GetProperty("good").GetProperty("Results").EnumerateArray()
            .Select(result => result.GetProperty("KV")).ToArray();
        Assert.Equal(
            ["txn/a", "txn/b", "txn/a", "txn/b"], results.Select(entry => entry.GetProperty("Key").GetString()));
        Assert.Equal(JsonValueKind.Null, results[0].GetProperty("Value").ValueKind);
        Assert.Equal("1", Encoding.UTF8.GetString(results[2].GetProperty("Value").GetBytesFromBase64()));
        Assert.Equal(409, StatusOf(seen, "bad"));
        Assert.True(seen.GetProperty("undone").GetBoolean());
        Assert.Equal(400, StatusOf(seen, "malformed"));
    }

    [Fact]
    public async Task Watch_of_a_missing_key_sees_it_made_changed_and_deleted_and_nothing_beside_it()
    {
        await using var watch = Run("watch");
        var first = await watch.NextAsync("change");
        Assert.Equal(JsonValueKind.Null, first.GetProperty("value").ValueKind);
        using var http = node.Client(key);
        await PutAsync(http, "watched/b", "beside");
        await PutAsync(http, "watched/a", "1");
        Assert.Equal("1", (await watch.NextAsync("change")).GetProperty("value").GetString());
        await PutAsync(http, "watched/a", "2");
        var second = await watch.NextAsync("change");
        Assert.Equal("2", second.GetProperty("value").GetString());
        using var deleted = await http.DeleteAsync("/v1/kv/watched/a");
        var last = await watch.NextAsync("change");
        Assert.Equal(JsonValueKind.Null, last.GetProperty("value").ValueKind);
        Assert.True(IndexOf(last) > IndexOf(second));
        await watch.EndAsync();
    }

    [Fact]
    public async Task A_key_that_may_read_one_tree_sees_that_tree_and_changes_nothing()
    {
        using var all = node.Client(key);
        await PutAsync(all, "app/a", "1");
        await PutAsync(all, "other/b", "2");
        var reader = await node.MintAsync(
            "reader", [], [new Grant(["read"], ["kv-key"], ["default"], ["app/*"])]);
        using var http = node.Client();
        http.DefaultRequestHeaders.Add("X-Consul-Token", reader);
        Assert.Equal("""["app/a"]""", await http.GetStringAsync("/v1/kv/?keys"));
        Assert.Equal(403, await StatusAsync(http.GetAsync("/v1/kv/other/b")));
        Assert.Equal(403, await StatusAsync(http.PutAsync("/v1/kv/app/a", new StringContent("3"))));
        Assert.Equal(403, await StatusAsync(http.DeleteAsync("/v1/kv/app/?recurse")));
        Assert.Equal(403, await StatusAsync(http.PutAsync("/v1/session/create", new StringContent("{}"))));
        var transaction = """[{"KV":{"Verb":"set","Key":"app/a","Value":"MQ=="}}]""";
        Assert.Equal(403, await StatusAsync(http.PutAsync("/v1/txn", new StringContent(transaction))));
        using var nobody = node.Client();
        Assert.Equal(403, await StatusAsync(nobody.GetAsync("/v1/kv/app/a")));
        nobody.DefaultRequestHeaders.Add("X-Consul-Token", "wrong");
        Assert.Equal(403, await StatusAsync(nobody.GetAsync("/v1/kv/app/a")));
        Assert.Equal("1", await http.GetStringAsync("/v1/kv/app/a?raw"));
    }

    [Theory]
    [InlineData("GET", "/v1/kv/%ff", "", 400)]
    [InlineData("GET", "/v1/kv/", "", 400)]
    [InlineData("GET", "/v1/kv/a?index=x", "", 400)]
    [InlineData("GET", "/v1/kv/a?index=1&wait=soon", "", 400)]
    [InlineData("GET", "/v1/kv/a?dc=dc2", "", 500)]
    [InlineData("GET", "/v1/kv/a?ns=shop", "", 400)]
    [InlineData("PUT", "/v1/kv/a?cas=-1", "v", 400)]
    [InlineData("PUT", "/v1/kv/a?cas=1&acquire=x", "v", 400)]
    [InlineData("PUT", "/v1/kv/a?flags=18446744073709551616", "v", 400)]
    [InlineData("PUT", "/v1/kv/a?acquire=none", "v", 500)]
    [InlineData("DELETE", "/v1/kv/a?cas=x", "", 400)]
    [InlineData("PUT", "/v1/txn", "{", 400)]
    [InlineData("PUT", "/v1/txn", "[1]", 400)]
    [InlineData("PUT", "/v1/txn", "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"a\",\"Value\":\"%\"}}]", 400)]
    [InlineData("PUT", "/v1/txn", "[{\"KV\":{\"Verb\":\"set\",\"Key\":5}}]", 400)]
    [InlineData("PUT", "/v1/txn", "[{\"Node\":{}}]", 400)]
    [InlineData("PUT", "/v1/session/create", "[]", 400)]
    [InlineData("PUT", "/v1/session/create", "{\"TTL\":5}", 400)]
    [InlineData("PUT", "/v1/session/create", "{\"Behavior\":\"burn\"}", 400)]
    [InlineData("PUT", "/v1/session/create", "{\"LockDelay\":\"2h\"}", 400)]
    [InlineData("PUT", "/v1/session/create", "{\"Name\":\"\\ud800\"}", 400)]
    [InlineData("PUT", "/v1/session/renew/none", "", 404)]
    public async Task Bad_input_is_refused_in_a_text_and_changes_nothing(
        string method, string target, string body, int status)
    {
        using var http = node.Client(key);
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(
            http.BaseAddress!, target)); // A client of a node has an address.
        if (method == "PUT") request.Content = new StringContent(body);
        using var answer = await http.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(404, await StatusAsync(http.GetAsync("/v1/kv/?keys")));
    }

    [Theory]
    [InlineData("/v1/kv/a%2Fb", "a/b")]
    [InlineData("/v1/kv/a%252Fb", "a%2Fb")]
    [InlineData("/v1/KV/a//b/", "a//b/")]
    [InlineData("/v1/kv/%C3%A4%20?raw", "\u00e4 ")]
    [InlineData("/v1/kv/a%2", null)]
    [InlineData("/v1/kv/a%zz", null)]
    [InlineData("/v1/x/../kv/a", null)]
    public async Task Key_is_decoded_from_what_was_sent(string target, string? name)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, node.Node.Listeners.UrlOf(ListenerDefinition.Api).Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"PUT {target} HTTP/1.1\r\nHost: localhost\r\nX-Consul-Token: {key}\r\nContent-Length: 1\r\n"
            + "Connection: close\r\n\r\nv"));
        var answer = await new StreamReader(stream).ReadToEndAsync();
        Assert.StartsWith(name is null ? "HTTP/1.1 400" : "HTTP/1.1 200", answer, StringComparison.Ordinal);
        using var http = node.Client(key);
        var keys = await http.GetAsync("/v1/kv/?keys");
        var listed = keys.IsSuccessStatusCode ? await keys.Content.ReadAsStringAsync() : "[]";
        Assert.Equal(name is null ? [] : [name], JsonSerializer.Deserialize<string[]>(listed));
    }

    [Fact]
    public async Task Query_that_waits_is_answered_when_its_time_is_over_and_when_the_node_stops()
    {
        using var http = node.Client(key);
        await PutAsync(http, "a", "1");
        using var first = await http.GetAsync("/v1/kv/a");
        var index = first.Headers.GetValues("X-Consul-Index").Single();
        Assert.Equal("0", first.Headers.GetValues("X-Consul-LastContact").Single());
        using var over = await http.GetAsync($"/v1/kv/a?index={index}&wait=20ms");
        Assert.Equal(index, over.Headers.GetValues("X-Consul-Index").Single());
        var parked = http.GetAsync($"/v1/kv/a?index={index}&wait=10m");
        await PutAsync(http, "b", "beside");
        Assert.False(parked.IsCompleted);
        await node.StopAsync();
        using var ended = await parked;
        Assert.Equal(200, (int)ended.StatusCode);
    }

    [Fact]
    public async Task Index_and_session_are_there_after_a_restart_and_the_index_is_not_lower()
    {
        using var directory = new TemporaryDirectory();
        long before;
        string session;
        await using (var first = await RunningNode.StartAsync(
            [new RegistryModule(), new KeyValueModule()], directory: directory.Path))
        {
            await PutAsync(first.Local, "a", "1");
            using var created = await first.Local.PutAsync(
                "/v1/session/create", new StringContent("""{"TTL":"60s"}"""));
            session = JsonDocument.Parse(await created.Content.ReadAsStringAsync()).RootElement
                .GetProperty("ID").GetString()!; // A session has an id.
            Assert.Equal("true", await PutAsync(first.Local, $"lock?acquire={session}", "x"));
            using var deleted = await first.Local.DeleteAsync("/v1/kv/a");
            before = await IndexAsync(first.Local, "a");
        }
        await using var second = await RunningNode.StartAsync(
            [new RegistryModule(), new KeyValueModule()], directory: directory.Path);
        Assert.Equal(before, await IndexAsync(second.Local, "a"));
        Assert.Contains(session, await second.Local.GetStringAsync("/v1/kv/lock"), StringComparison.Ordinal);
        Assert.Contains(session, await second.Local.GetStringAsync("/v1/session/list"), StringComparison.Ordinal);
        await PutAsync(second.Local, "a", "2");
        Assert.Equal(before + 1, await IndexAsync(second.Local, "a"));
    }

    [Fact]
    public async Task Protocols_that_are_off_are_served_nowhere()
    {
        await using var quiet = await RunningNode.StartAsync(
            [new RegistryModule(), new KeyValueModule()],
            configuration => configuration with
            {
                Listeners = configuration.Listeners
                    .SetItem(ProtocolListeners.Consul.Name, new ListenerOptions { Off = true })
                    .SetItem(ProtocolListeners.Etcd.Name, new ListenerOptions { Off = true }),
            });
        Assert.Equal(404, await StatusAsync(quiet.Local.GetAsync("/v1/kv/a")));
        Assert.Equal(404, await StatusAsync(quiet.Local.GetAsync("/v1/session/list")));
        Assert.DoesNotContain(quiet.Node.Listeners.Endpoints, endpoint => endpoint.Pattern.Contains("etcd"));
        Assert.Equal(404, await StatusAsync(node.Local.GetAsync("/v1/kv/a")));
        Assert.Equal(200, await StatusAsync(node.Local.GetAsync("/v1/session/list")));
    }

    private NpmClient Run(string part) => clients.Run(
        "consul-kv.mjs", $"{node.Node.Listeners.UrlOf(ListenerDefinition.Api).Port}", key, part);

    private async Task<JsonElement> RunAsync(string part)
    {
        await using var client = Run(part);
        var seen = await client.NextAsync(part);
        await client.EndAsync();
        return seen;
    }

    private static async Task<string> PutAsync(HttpClient http, string path, string value)
    {
        using var answer = await http.PutAsync("/v1/kv/" + path, new StringContent(value));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<long> IndexAsync(HttpClient http, string name)
    {
        using var answer = await http.GetAsync("/v1/kv/" + name);
        return long.Parse(
            answer.Headers.GetValues("X-Consul-Index").Single(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task<int> StatusAsync(Task<HttpResponseMessage> sent)
    {
        using var answer = await sent;
        return (int)answer.StatusCode;
    }

    private static long IndexOf(JsonElement change) => long.Parse(
        change.GetProperty("index").GetString() ?? "", System.Globalization.CultureInfo.InvariantCulture);

    private static int StatusOf(JsonElement seen, string name) =>
        seen.GetProperty(name).GetProperty("status").GetInt32();

    private static string Booleans(JsonElement seen, params string[] names) =>
        string.Join(' ', names.Select(name => seen.GetProperty(name).GetBoolean()));
}

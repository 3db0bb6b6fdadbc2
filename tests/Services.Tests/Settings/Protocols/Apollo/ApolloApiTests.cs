using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Protocols.Apollo;
using Groundwork.Services.Settings.Releases;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Protocols.Apollo;

public sealed class ApolloApiTests
{
    private const string Config = "/apollo/configs/orders/default/application";

    [Fact]
    public async Task A_namespace_is_given_once_for_each_release_key()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/application.properties", "a=1\nb.c=x y\n");
        var first = await MustGetAsync(settings.Local, Config);
        Assert.Equal("""{"a":"1","b.c":"x y"}""", first["configurations"]!.ToJsonString());
        Assert.Equal(["orders", "default", "application"], new[] { "appId", "cluster", "namespaceName" }
            .Select(member => $"{first[member]}"));
        await IsAsync(settings.Local, $"{Config}?releaseKey={first["releaseKey"]}", 304);
        await settings.MustPublishAsync("orders/application.properties", "a=2\n");
        var second = await MustGetAsync(settings.Local, $"{Config}?releaseKey={first["releaseKey"]}");
        Assert.NotEqual($"{first["releaseKey"]}", $"{second["releaseKey"]}");
        Assert.Equal("""{"a":"2"}""", second["configurations"]!.ToJsonString());
    }

    [Fact]
    public async Task Clusters_are_looked_into_in_order_and_an_own_namespace_lies_over_the_public_one()
    {
        await using var settings = await OpenSettings.StartAsync();
        foreach (var @namespace in new[] { "east", "dc1" })
            await settings.CommitAsync(Change.Put(Namespaces.Kind, "", @namespace, new NamespaceSpec()));
        await settings.MustPublishAsync("shared/common.properties", "a=public\np=public\n");
        await settings.MustPublishAsync("orders/common.properties", "a=own\n");
        await PutAsync("dc1", "orders/common.properties", "a=dc1");
        var own = await MustGetAsync(settings.Local, "/apollo/configs/orders/EAST/common");
        Assert.Equal("""{"a":"own","p":"public"}""", own["configurations"]!.ToJsonString());
        Assert.Equal("default", $"{own["cluster"]}");
        Assert.Contains('+', $"{own["releaseKey"]}");
        var dc = await MustGetAsync(settings.Local, "/apollo/configs/orders/EAST/common?dataCenter=dc1");
        Assert.Equal("""{"a":"dc1","p":"public"}""", dc["configurations"]!.ToJsonString());
        await PutAsync("east", "orders/common.properties", "a=east");
        var east = await MustGetAsync(settings.Local, "/apollo/configs/orders/EAST/common?dataCenter=dc1");
        Assert.Equal("""{"a":"east","p":"public"}""", east["configurations"]!.ToJsonString());
        Assert.Equal("EAST", $"{east["cluster"]}");
        // Nobody else's namespace called application is laid under one's own.
        await settings.MustPublishAsync("shared/application.properties", "x=1\n");
        await IsAsync(settings.Local, Config, 404);

        Task<long> PutAsync(string @namespace, string name, string text) => settings.CommitAsync(
            Change.Put(SettingKind.Kind, @namespace, name, new SettingSpec("properties", text)));
    }

    [Fact]
    public async Task Names_ignore_case_and_two_that_differ_in_case_alone_are_refused()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("Orders/Application.properties", "a=1\n");
        Assert.Equal("1", $"{(await MustGetAsync(settings.Local, Config))["configurations"]!["a"]}");
        await MustGetAsync(settings.Local, "/apollo/configs/ORDERS/default/APPLICATION.PROPERTIES");
        await settings.MustPublishAsync("orders/application.properties", "a=2\n");
        var refused = await IsAsync(settings.Local, Config, 400);
        Assert.Contains("ambiguous", refused, StringComparison.Ordinal);
        // To whoever may read one of them alone there is only that one.
        using var reader = settings.Running.Client(await settings.Running.MintAsync(
            "reader", [], [new Grant(["read"], [SettingKind.Name], ["default"], ["orders/*"])]));
        Assert.Equal("2", $"{(await MustGetAsync(reader, Config))["configurations"]!["a"]}");
    }

    [Fact]
    public async Task Other_formats_are_one_content_with_and_without_their_ending()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/cfg.json", """{"a":1}""");
        foreach (var name in new[] { "cfg", "cfg.json" })
        {
            var config = await MustGetAsync(settings.Local, $"/apollo/configs/orders/default/{name}");
            Assert.Equal("""{"a":1}""", $"{config["configurations"]!["content"]}");
        }
        Assert.Equal(
            """{"a":1}""", await IsAsync(settings.Local, "/apollo/configfiles/raw/orders/default/cfg.json", 200));
        await settings.MustPublishAsync("orders/cfg.properties", "a=2");
        var read = await MustGetAsync(settings.Local, "/apollo/configs/orders/default/cfg");
        Assert.Equal("2", $"{read["configurations"]!["a"]}");
    }

    [Fact]
    public async Task Files_are_properties_an_object_or_the_text()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/application.properties", "a\\ b = x\\ny\nc==#1\n");
        Assert.Equal(
            "a\\ b=x\\ny\nc==#1\n",
            await IsAsync(settings.Local, "/apollo/configfiles/orders/default/application", 200));
        Assert.Equal(
            """{"a b":"x\ny","c":"=#1"}""",
            JsonNode.Parse(await IsAsync(settings.Local, "/apollo/configfiles/json/orders/default/application", 200))!
                .ToJsonString());
        await IsAsync(settings.Local, "/apollo/configfiles/orders/default/other", 404);
        await IsAsync(settings.Local, "/apollo/configfiles/json/orders/default/other", 404);
    }

    [Fact]
    public async Task A_gray_release_reaches_an_address_or_a_label_and_nobody_else()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/application.properties", "a=all\n");
        var whole = await MustGetAsync(settings.Local, $"{Config}?ip=10.0.0.8");
        await settings.CommitAsync(
            Change.Put(GrayReleaseKind.Kind, "default", "by-ip", Gray("a=ip", new(Instances: ["orders/10.0.0.7"]))),
            Change.Put(GrayReleaseKind.Kind, "default", "by-label", Gray(
                "a=label", new(Labels: new Dictionary<string, string> { ["label"] = "canary" }))));
        Assert.Equal("ip", await ReadAsync("?ip=10.0.0.7"));
        Assert.Equal("label", await ReadAsync("?ip=10.0.0.8&label=canary"));
        Assert.Equal("all", await ReadAsync("?ip=10.0.0.8&label=stable"));
        await IsAsync(settings.Local, $"{Config}?ip=10.0.0.8&releaseKey={whole["releaseKey"]}", 304);
        await MustGetAsync(settings.Local, $"{Config}?ip=10.0.0.7&releaseKey={whole["releaseKey"]}");

        static GrayReleaseSpec Gray(string text, GrayReceivers to) =>
            new("orders/application.properties", text, to, "properties");

        async Task<string> ReadAsync(string query) =>
            $"{(await MustGetAsync(settings.Local, Config + query))["configurations"]!["a"]}";
    }

    [Fact]
    public async Task A_poll_waits_for_what_it_names_and_tells_a_number_that_grows()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/application.properties", "a=1\n");
        var first = Assert.Single(await PollAsync(settings.Local, ("application", -1)));
        Assert.True(first.Id > 0);
        var poll = PollAsync(settings.Local, ("application", first.Id));
        await settings.MustPublishAsync("orders/other.properties", "a=1\n");
        await settings.MustPublishAsync("payments/application.properties", "a=1\n");
        Assert.False(poll.IsCompleted);
        var revision = await settings.MustPublishAsync("orders/application.properties", "a=2\n");
        var second = Assert.Single(await poll);
        Assert.Equal(("application", revision), (second.Name, second.Id));
        // Told of each of a changeset's releases, of a deletion too, and of nothing that it knows.
        poll = PollAsync(settings.Local, ("application", second.Id));
        await settings.CommitAsync(Change.Put(GrayReleaseKind.Kind, "default", "g", new GrayReleaseSpec(
            "orders/application.properties", "a=3", new(Instances: ["orders/1.1.1.1"]), "properties")));
        var third = Assert.Single(await poll);
        poll = PollAsync(settings.Local, ("application", third.Id));
        await settings.DeleteAsync(GrayReleaseKind.Name, "default", "g");
        var fourth = Assert.Single(await poll);
        Assert.True(second.Id < third.Id && third.Id < fourth.Id);
        poll = PollAsync(settings.Local, ("application", fourth.Id));
        await settings.DeleteAsync(SettingKind.Name, "default", "orders/application.properties");
        Assert.True(Assert.Single(await poll).Id > fourth.Id);
    }

    [Fact]
    public async Task Only_what_is_new_is_told_under_the_name_it_was_asked_by()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/application.properties", "a=1\n");
        await settings.MustPublishAsync("shared/common.properties", "a=1\n");
        var both = await PollAsync(
            settings.Local, ("Application.properties", -1), ("common", -1), ("nothing", -1));
        Assert.Equal(["Application.properties", "common"], both.Select(one => one.Name).Order());
        var poll = PollAsync(settings.Local, [.. both]);
        var revision = await settings.MustPublishAsync("shared/common.properties", "a=2\n");
        var news = Assert.Single(await poll);
        Assert.Equal(("common", revision), (news.Name, news.Id));
    }

    [Fact]
    public async Task Numbers_do_not_go_back_over_a_restart_and_what_was_missed_is_told()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.Combine("data");
        long known;
        await using (var settings = await OpenSettings.StartAsync(data))
        {
            await settings.MustPublishAsync("orders/application.properties", "a=1\n");
            await settings.MustPublishAsync("orders/gone.properties", "a=1\n");
            known = Assert.Single(await PollAsync(settings.Local, ("application", -1))).Id;
            // Neither of the clients is there when these happen.
            await settings.MustPublishAsync("orders/application.properties", "a=2\n");
            await settings.DeleteAsync(SettingKind.Name, "default", "orders/gone.properties");
        }
        await using var again = await OpenSettings.StartAsync(data);
        Assert.True(Assert.Single(await PollAsync(again.Local, ("application", known))).Id > known);
        var told = Assert.Single(await PollAsync(again.Local, ("gone", known)));
        Assert.True(told.Id > known);
        var parked = PollAsync(again.Local, ("gone", told.Id), ("application", told.Id));
        var revision = await again.MustPublishAsync("orders/application.properties", "a=3\n");
        Assert.Equal(revision, Assert.Single(await parked).Id);
    }

    [Fact]
    public async Task A_client_that_never_learns_its_number_is_answered_once_a_second()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/cfg.json", "{}");
        var started = TimeProvider.System.GetTimestamp();
        for (var poll = 0; poll < 3; poll++) Assert.Single(await PollAsync(settings.Local, ("cfg.json", 0)));
        Assert.True(
            TimeProvider.System.GetElapsedTime(started) >= 2 * ApolloPolls.RepeatAfter - TimeSpan.FromMilliseconds(50));
        // Another application, or one that knows its number, does not wait for it.
        started = TimeProvider.System.GetTimestamp();
        Assert.Single(await PollAsync(settings.Local, ("cfg.json", 1)));
        Assert.True(TimeProvider.System.GetElapsedTime(started) < ApolloPolls.RepeatAfter);
    }

    [Fact]
    public async Task Polls_end_unchanged_at_the_drain()
    {
        var settings = await OpenSettings.StartAsync();
        var answer = settings.Local.GetAsync(Poll(("nothing", -1)));
        // Answered meanwhile, so the poll, which was sent before, has come in.
        await settings.MustPublishAsync("orders/other.properties", "a=1\n");
        var stopped = settings.Running.StopAsync();
        using var response = await answer.WaitAsync(Eventually.Patience);
        Assert.Equal(HttpStatusCode.NotModified, response.StatusCode);
        await stopped;
        await settings.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("[null]")]
    [InlineData("{}")]
    [InlineData("nonsense")]
    [InlineData("[{\"notificationId\":1}]")]
    [InlineData("[{\"namespaceName\":\"a b\",\"notificationId\":1}]")]
    [InlineData("[{\"namespaceName\":\"application\",\"notificationId\":\"x\"}]")]
    [InlineData("[{\"namespaceName\":\"application\",\"notificationId\":99999999999999999999}]")]
    public async Task A_list_that_cannot_be_read_is_refused(string list)
    {
        await using var settings = await OpenSettings.StartAsync();
        await IsAsync(
            settings.Local,
            $"/apollo/notifications/v2?appId=orders&cluster=default&notifications={Uri.EscapeDataString(list)}", 400);
    }

    [Fact]
    public async Task Bad_input_is_told_in_Apollos_shape()
    {
        await using var settings = await OpenSettings.StartAsync();
        foreach (var path in new[]
        {
            Config, "/apollo/configs/a%20b/default/application", "/apollo/configs/orders/%2e%2e%2fx/application",
            "/apollo/configs/orders/default/a%2Fb", "/apollo/configfiles/raw/orders/default/x",
        })
            await IsAsync(settings.Local, path, 404);
        await IsAsync(settings.Local, "/apollo/configs/%ff/default/application", 400);
        var many = string.Join(',', Enumerable.Range(0, ApolloPolls.MaxNamespaces + 1)
            .Select(at => $"{{\"namespaceName\":\"n{at}\",\"notificationId\":-1}}"));
        await IsAsync(
            settings.Local, $"/apollo/notifications/v2?appId=o&cluster=d&notifications=[{many}]", 400, 414, 431);
    }

    [Fact]
    public async Task Signed_requests_are_taken_and_others_refused_where_there_is_a_secret()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/application.properties", "a=1\n");
        await settings.MustPublishAsync("payments/application.properties", "a=1\n");
        await settings.CommitAsync(Change.Put(
            ApolloAppKind.Kind, "", "orders", new ApolloAppSpec(SecretText.Of("first-secret"))));
        using var client = settings.Running.Client();
        var path = Config + "?ip=10.0.0.7&x=%2F";
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.Equal(200, await SendAsync(client, path, now, Sign("first-secret", now, path)));
        Assert.Equal(401, await SendAsync(client, path, now, Sign("other-secret", now, path)));
        Assert.Equal(401, await SendAsync(client, path + "1", now, Sign("first-secret", now, path)));
        Assert.Equal(401, await SendAsync(client, path, now - 61_000, Sign("first-secret", now - 61_000, path)));
        Assert.Equal(401, await SendAsync(client, path, now + 61_000, Sign("first-secret", now + 61_000, path)));
        Assert.Equal(401, await SendAsync(client, path, now, "not base64"));
        Assert.Equal(401, await SendAsync(client, path, now, null));
        // The secret of one application reads no other.
        var other = "/apollo/configs/payments/default/application";
        Assert.Equal(401, await SendAsync(client, other, now, Sign("first-secret", now, other)));
        await settings.CommitAsync(Change.Put(
            ApolloAppKind.Kind, "", "orders",
            new ApolloAppSpec(SecretText.Of("second-secret"), SecretText.Of("first-secret"))));
        Assert.Equal(200, await SendAsync(client, path, now, Sign("first-secret", now, path)));
        Assert.Equal(200, await SendAsync(client, path, now, Sign("second-secret", now, path)));
        // Without the secrets of its settings.
        await settings.PutAsync("orders/hidden.properties", new SettingSpec("properties", "a=1", Secret: true));
        var hidden = "/apollo/configs/orders/default/hidden";
        Assert.Equal(403, await SendAsync(client, hidden, now, Sign("second-secret", now, hidden)));
    }

    [Fact]
    public void A_signature_is_that_of_the_published_form()
    {
        // HMAC-SHA1 over the time, a line end, and the path with its query, in base64 (the vector of Apollo's own
        // client).
        var app = new ApolloApp(Principal.Anonymous, [Encoding.UTF8.GetBytes("df23df3f59884980844ff3dada30fa97")]);
        const string Target = "/configs/100004458/default/application?ip=10.0.0.1";
        Assert.True(app.Signs("1576478257344", Target, PublishedSignature));
        Assert.False(app.Signs("1576478257345", Target, PublishedSignature));
    }

    private const string PublishedSignature = "EoKyziXvKqzHgwx+ijDJwgVTDgE=";

    [Fact]
    public async Task A_client_finds_the_service_where_it_asked()
    {
        await using var settings = await OpenSettings.StartAsync();
        using var client = settings.Running.Client();
        var services = JsonNode.Parse(await client.GetStringAsync("/apollo/services/config?appId=orders"))!.AsArray();
        Assert.Equal(client.BaseAddress + "apollo/", $"{Assert.Single(services)!["homepageUrl"]}");
    }

    [Fact]
    public async Task Nothing_is_served_when_it_is_off()
    {
        await using var off = await OpenSettings.StartAsync(configure: one => one with
        {
            Listeners = one.Listeners.Add(ProtocolListeners.Apollo.Name, new ListenerOptions { Off = true }),
        });
        await off.MustPublishAsync("orders/application.properties", "a=1\n");
        using var gone = await off.Local.GetAsync(Config);
        Assert.Equal(Problems.MediaType, gone.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Who_reads_is_known()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/application.properties", "a=1\n");
        await MustGetAsync(settings.Local, $"{Config}?ip=10.0.0.7");
        var readers = await settings.MustGetAsync(
            "readers/default?group=orders", Groundwork.Wire.WireJson.Strict.ReaderList);
        var reader = Assert.Single(readers.Items);
        Assert.Equal(("orders", "10.0.0.7"), (reader.Service, reader.Instance));
    }

    private static string Poll(params (string Name, long Id)[] known) =>
        "/apollo/notifications/v2?appId=orders&cluster=default&notifications="
        + Uri.EscapeDataString(JsonSerializer.Serialize(
            known.Select(one => new { namespaceName = one.Name, notificationId = one.Id })));

    private static async Task<(string Name, long Id)[]> PollAsync(
        HttpClient client, params (string Name, long Id)[] known)
    {
        using var answer = await client.GetAsync(Poll(known)).WaitAsync(Eventually.Patience);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{(int)answer.StatusCode} {body}");
        return [.. JsonNode.Parse(body)!.AsArray().Select(one =>
        {
            var id = (long)one!["notificationId"]!;
            Assert.Equal(id, one["messages"]!["details"]!.AsObject().Max(detail => (long)detail.Value!));
            return ($"{one["namespaceName"]}", id);
        })];
    }

    private static async Task<int> SendAsync(HttpClient client, string path, long timestamp, string? signature)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Timestamp", $"{timestamp}");
        if (signature is not null)
            request.Headers.TryAddWithoutValidation("Authorization", $"Apollo orders:{signature}");
        using var answer = await client.SendAsync(request);
        return (int)answer.StatusCode;
    }

#pragma warning disable CA5350 // The protocol's own.
    private static string Sign(string secret, long timestamp, string path) => Convert.ToBase64String(
        HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{timestamp}\n{path}")));
#pragma warning restore CA5350

    private static async Task<JsonObject> MustGetAsync(HttpClient client, string path) =>
        JsonNode.Parse(await IsAsync(client, path, 200))!.AsObject();

    [Fact]
    public async Task What_it_has_no_method_or_path_for_is_told_as_Apollo_does()
    {
        await using var settings = await OpenSettings.StartAsync();
        await IsAsync(settings.Local, "/apollo/nothing", 404);
        using var answer = await settings.Local.PostAsync(Config, content: null);
        var body = await answer.Content.ReadAsStringAsync();
        // Not 405: Apollo catches that before it is answered.
        Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, body);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        var error = JsonNode.Parse(body)!;
        Assert.Equal(400, (int)error["status"]!);
        Assert.Contains("POST is not allowed", $"{error["message"]}");
        Assert.NotNull(error["timestamp"]);
    }

    private static async Task<string> IsAsync(HttpClient client, string path, params int[] statuses)
    {
        using var answer = await client.GetAsync(path);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(statuses.Contains((int)answer.StatusCode), $"{path}: {(int)answer.StatusCode} {body}");
        if ((int)answer.StatusCode == 304) Assert.Empty(body);
        if ((int)answer.StatusCode is 400 or 401 or 403 or 404)
            Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        return body;
    }
}

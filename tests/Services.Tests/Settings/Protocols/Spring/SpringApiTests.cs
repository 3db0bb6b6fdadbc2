using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring;

public sealed class SpringApiTests
{
    [Fact]
    public async Task Sources_come_in_order_of_precedence_from_all_groups_of_an_application()
    {
        await using var settings = await OpenSettings.StartAsync();
        foreach (var name in new[]
        {
            "orders/orders-dev.yaml", "default/orders-dev.yml", "shared/application-dev.yaml",
            "orders/orders.properties", "orders/orders.yaml", "shared/application.json",
        })
            await settings.MustPublishAsync(name, name.EndsWith(".json", StringComparison.Ordinal) ? "{\"a\":1}"
                : name.EndsWith("properties", StringComparison.Ordinal) ? "a=1" : "a: 1");
        await settings.MustPublishAsync("payments/payments.yaml", "a: 1");
        var environment = await MustGetAsync(settings.Local, "/config/orders/dev");
        Assert.Equal(
            [
                "groundwork:default/orders/orders-dev.yaml", "groundwork:default/default/orders-dev.yml",
                "groundwork:default/shared/application-dev.yaml", "groundwork:default/orders/orders.properties",
                "groundwork:default/orders/orders.yaml", "groundwork:default/shared/application.json",
            ],
            environment["propertySources"]!.AsArray().Select(one => $"{one!["name"]}"));
        Assert.Equal("orders", $"{environment["name"]}");
        Assert.Equal("""["dev"]""", environment["profiles"]!.ToJsonString());
        Assert.Null(environment["label"]);
        Assert.True(environment.ContainsKey("state"));
    }

    [Fact]
    public async Task The_version_changes_with_what_is_read_and_with_nothing_else()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/orders.yaml", "a: 1");
        var first = await VersionAsync();
        await settings.MustPublishAsync("payments/payments.yaml", "a: 1");
        Assert.Equal(first, await VersionAsync());
        await settings.MustPublishAsync("orders/orders.yaml", "a: 2");
        var second = await VersionAsync();
        Assert.NotEqual(first, second);
        await settings.MustPublishAsync("shared/application.yaml", "b: 2");
        Assert.NotEqual(second, await VersionAsync());
        await settings.DeleteAsync(SettingKind.Name, "default", "shared/application.yaml");
        Assert.Equal(second, await VersionAsync());

        async Task<string> VersionAsync() =>
            $"{(await MustGetAsync(settings.Local, "/config/orders/default"))["version"]}";
    }

    [Fact]
    public async Task A_label_is_a_namespace_and_an_unknown_one_is_told()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.CommitAsync(Change.Put(Namespaces.Kind, "", "prod", new NamespaceSpec()));
        await settings.CommitAsync(
            Change.Put(SettingKind.Kind, "prod", "orders/orders.yaml", new SettingSpec("yaml", "a: prod")));
        var environment = await MustGetAsync(settings.Local, "/config/orders/default/prod");
        Assert.Equal("prod", $"{environment["label"]}");
        Assert.Equal("prod", $"{environment["propertySources"]![0]!["source"]!["a"]}");
        Assert.Empty((await MustGetAsync(settings.Local, "/config/orders/default"))["propertySources"]!.AsArray());
        await IsErrorAsync(settings.Local, "/config/orders/default/dev", 404, "No such label: dev");
        await IsErrorAsync(settings.Local, "/config/orders/default/feature%2Fx", 404, "No such label: feature/x");
        await IsErrorAsync(settings.Local, "/config/orders/default/feature%252Fx", 404, "No such label: feature%2Fx");
    }

    [Fact]
    public async Task Origins_are_told_to_who_asks_for_them()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/orders.yaml", "x:\n  y: 1\n");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/config/orders/default");
        request.Headers.TryAddWithoutValidation("Accept", "application/vnd.spring-cloud.config-server.v2+json");
        using var answer = await settings.Local.SendAsync(request);
        Assert.Equal(
            "application/vnd.spring-cloud.config-server.v2+json", answer.Content.Headers.ContentType?.MediaType);
        var read = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        var value = read["propertySources"]![0]!["source"]!["x.y"]!;
        Assert.Equal(
            """{"value":1,"origin":"groundwork:default/orders/orders.yaml:2:3"}""", value.ToJsonString());
    }

    [Fact]
    public async Task Merged_files_come_in_every_format_with_and_without_placeholders()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/orders.yaml", "a: {b: 1}\nc: \"${a.b}\"\n");
        await settings.MustPublishAsync("orders/orders-dev.yaml", "a: {b: 2}\n");
        Assert.Equal("a:\n  b: 2\nc: \"2\"\n", await TextAsync("/config/orders-dev.yml"));
        Assert.Equal("a:\n  b: 2\nc: \"2\"\n", await TextAsync("/config/orders-dev.yaml"));
        Assert.Equal("a.b: 2\nc: ${a.b}", await TextAsync("/config/orders-dev.properties?resolvePlaceholders=false"));
        Assert.Equal("""{"a":{"b":1},"c":"1"}""", await TextAsync("/config/orders-default.json"));
        await settings.CommitAsync(Change.Put(Namespaces.Kind, "", "prod", new NamespaceSpec()));
        Assert.Equal("{}\n", await TextAsync("/config/prod/orders-dev.yml"));
        await IsErrorAsync(settings.Local, "/config/orders.yml", 404);
        await IsErrorAsync(settings.Local, "/config/orders-.yml", 404);
        await IsErrorAsync(settings.Local, "/config/nolabel/orders-dev.yml", 404, "No such label: nolabel");

        async Task<string> TextAsync(string path)
        {
            using var answer = await settings.Local.GetAsync(path);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, text);
            return text;
        }
    }

    [Fact]
    public async Task Files_are_given_as_they_are_and_no_path_leads_elsewhere()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/nginx/site.conf", "host ${name:x};");
        await settings.MustPublishAsync("orders/nginx/site-dev.conf", "dev");
        await settings.MustPublishAsync("secret/other.conf", "never");
        await settings.CommitAsync(Change.Put(Namespaces.Kind, "", "main", new NamespaceSpec()));
        using var plain = await settings.Local.GetAsync("/config/orders/default/nginx%2Fsite.conf?useDefaultLabel");
        Assert.Equal("host x;", await plain.Content.ReadAsStringAsync());
        Assert.Equal("text/plain", plain.Content.Headers.ContentType?.MediaType);
        using var dev = await settings.Local.GetAsync("/config/orders/dev/nginx%2Fsite.conf?useDefaultLabel");
        Assert.Equal("dev", await dev.Content.ReadAsStringAsync());
        await IsErrorAsync(settings.Local, "/config/orders/default/main/nginx/site.conf", 404);
        foreach (var path in new[]
        {
            "..%2Fsecret%2Fother.conf", "%2e%2e%2fsecret/other.conf", ".git%2Fconfig", "a%5C..%5Cb", "nginx%2F%2Fx",
        })
            await IsErrorAsync(settings.Local, $"/config/orders/default/default/{path}", 400);
    }

    [Fact]
    public async Task Whoever_may_read_nothing_is_shown_nothing_and_a_secret_is_refused_aloud()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/orders.yaml", "a: seen");
        using var stranger = settings.Running.Client(await settings.Running.MintAsync(
            "stranger", [], [new Grant(["read"], [SettingKind.Name], ["default"], ["payments/*"])]));
        Assert.Empty((await MustGetAsync(stranger, "/config/orders/default"))["propertySources"]!.AsArray());
        await settings.PutAsync("orders/orders-dev.yaml", new SettingSpec("yaml", "p: hidden", Secret: true));
        using var reader = settings.Running.Client(await settings.Running.MintAsync(
            "reader", [], [new Grant(["read"], [SettingKind.Name], ["default"])]));
        await MustGetAsync(reader, "/config/orders/default");
        var refused = await IsErrorAsync(reader, "/config/orders/dev", 403);
        Assert.DoesNotContain("hidden", refused, StringComparison.Ordinal);
        using var trusted = settings.Running.Client(await settings.Running.MintAsync(
            "trusted", [], [new Grant(["read", "read-secret"], [SettingKind.Name], ["default"])]));
        Assert.Contains(
            "hidden", (await MustGetAsync(trusted, "/config/orders/dev")).ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_credential_is_asked_for_and_taken_as_Basic_too()
    {
        await using var settings = await OpenSettings.StartAsync();
        await settings.MustPublishAsync("orders/orders.yaml", "a: 1");
        var key = await settings.Running.MintAsync("k", [], [new Grant(["read"], [SettingKind.Name])]);
        using var nobody = settings.Running.Client();
        using var answer = await nobody.GetAsync("/config/orders/default");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Basic", answer.Headers.WwwAuthenticate.Single().Scheme);
        await IsErrorAsync(nobody, "/config/orders/default", 401);
        nobody.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"anything:{key}")));
        await MustGetAsync(nobody, "/config/orders/default");
        nobody.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "wrong");
        await IsErrorAsync(nobody, "/config/orders/default", 401);
    }

    [Fact]
    public async Task Bad_input_is_told_in_Springs_shape()
    {
        await using var settings = await OpenSettings.StartAsync();
        await IsErrorAsync(settings.Local, "/config/orders/default/--upload-pack=x", 400);
        await IsErrorAsync(settings.Local, "/config/orders/default/..(_)..", 400);
        await IsErrorAsync(settings.Local, "/config/orders/%ff%fe", 400);
        await IsErrorAsync(settings.Local, $"/config/orders/{new string('a', 300)}", 400);
        await IsErrorAsync(settings.Local, "/config/orders/,", 400);
        Assert.Empty((await MustGetAsync(settings.Local, "/config/my%20app/a%20b"))["propertySources"]!.AsArray());
        await settings.PutAsync("orders/orders.txt", new SettingSpec("text", "x"));
        await settings.PutAsync("orders/orders", new SettingSpec("text", "no properties"));
        Assert.Empty((await MustGetAsync(settings.Local, "/config/orders/default"))["propertySources"]!.AsArray());
        await settings.MustPublishAsync(
            "orders/orders.yaml", "spring: {config: {activate: {on-profile: a & b}}}\nx: 1");
        await IsErrorAsync(settings.Local, "/config/orders/default", 500);
    }

    [Fact]
    public async Task What_it_has_no_method_or_path_for_is_told_in_Springs_shape()
    {
        await using var settings = await OpenSettings.StartAsync();
        foreach (var (method, path, status) in new[]
        {
            (HttpMethod.Post, "/config/orders/default", 405), (HttpMethod.Put, "/config/orders/default/main", 405),
            (HttpMethod.Delete, "/config/orders-dev.yml", 405), (HttpMethod.Get, "/config", 404),
        })
        {
            using var request = new HttpRequestMessage(method, path);
            using var answer = await settings.Local.SendAsync(request);
            var error = await ErrorOfAsync(answer, path, status);
            Assert.Equal(path, error.GetProperty("path").GetString());
            Assert.Equal(
                status == 405 ? "Method Not Allowed" : "Not Found", error.GetProperty("error").GetString());
            if (status == 405) Assert.Contains("GET", answer.Content.Headers.Allow);
        }
        // Whatever is not below it is our own API's to refuse.
        using var other = await settings.Local.GetAsync("/configuration");
        Assert.Equal("application/problem+json", other.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task It_stands_at_the_root_of_its_own_listener_and_nowhere_when_it_is_off()
    {
        await using (var settings = await OpenSettings.StartAsync(configure: one => one with
        {
            Listeners = one.Listeners.Add(
                ProtocolListeners.SpringConfig.Name,
                new ListenerOptions { Address = ListenAddress.Parse("127.0.0.1:0", "The test's address") }),
        }))
        {
            await settings.MustPublishAsync("orders/orders.yaml", "a: 1");
            var key = await settings.Running.MintAsync("k", [BuiltInRoles.Administrator]);
            using var own = settings.Running.Client(key, ProtocolListeners.SpringConfig.Name);
            Assert.Single((await MustGetAsync(own, "/orders/default"))["propertySources"]!.AsArray());
            using (var posted = await own.PostAsync("/orders/default", content: null))
                await ErrorOfAsync(posted, "/orders/default", 405);
            // There it is an application called config.
            Assert.Empty((await MustGetAsync(own, "/config/orders/default"))["propertySources"]!.AsArray());
            using var api = settings.Running.Client(key);
            Assert.Single((await MustGetAsync(api, "/config/orders/default"))["propertySources"]!.AsArray());
            Assert.Equal(HttpStatusCode.NotFound, (await api.GetAsync("/orders/default")).StatusCode);
        }
        await using var off = await OpenSettings.StartAsync(configure: one => one with
        {
            Listeners = one.Listeners.Add(ProtocolListeners.SpringConfig.Name, new ListenerOptions { Off = true }),
        });
        using var gone = await off.Local.GetAsync("/config/orders/default");
        Assert.Equal(Problems.MediaType, gone.Content.Headers.ContentType?.MediaType);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    private static async Task<JsonObject> MustGetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        return JsonNode.Parse(body)!.AsObject();
    }

    private static async Task<string> IsErrorAsync(HttpClient client, string path, int status, string? message = null)
    {
        using var answer = await client.GetAsync(path);
        var error = await ErrorOfAsync(answer, path, status);
        if (message is not null) Assert.Equal(message, error.GetProperty("message").GetString());
        return error.GetRawText();
    }

    private static async Task<JsonElement> ErrorOfAsync(HttpResponseMessage answer, string path, int status)
    {
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == status, $"{path}: {(int)answer.StatusCode} {body}");
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        using var error = JsonDocument.Parse(body);
        Assert.Equal(status, error.RootElement.GetProperty("status").GetInt32());
        foreach (var member in new[] { "timestamp", "error", "path" })
            Assert.Equal(JsonValueKind.String, error.RootElement.GetProperty(member).ValueKind);
        return error.RootElement.Clone();
    }
}

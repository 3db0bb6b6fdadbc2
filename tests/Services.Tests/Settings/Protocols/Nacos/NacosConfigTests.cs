using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Services.Settings.Protocols.Nacos;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Protocols.Nacos;

public sealed class NacosConfigTests
{
    /// <summary>With it a client that repeats what fails without a pause makes one call a second.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_text_is_published_read_changed_and_deleted_and_is_a_setting_of_ours()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        Assert.Equal((404, "config data not exist"), await open.GetAsync("shop.yaml"));
        await open.MustPublishAsync("shop.yaml", "größe: 1\n");
        Assert.Equal((200, "größe: 1\n"), await open.GetAsync("shop.yaml"));
        var ours = Assert.Single((await open.Settings.SnapshotAsync("?group=default")).Settings);
        Assert.Equal(("shop.yaml", "yaml"), (ours.DataId, ours.Format));
        var (status, second) = await open.SendAsync(
            "GET", "v2/cs/config", "dataId=shop.yaml&group=DEFAULT_GROUP&namespaceId=public");
        Assert.Equal(200, status);
        using var json = JsonDocument.Parse(second);
        Assert.Equal("größe: 1\n", json.RootElement.GetProperty("data").GetString());
        Assert.Equal((200, "true"), await open.SendAsync("DELETE", "v1/cs/configs", "dataId=shop.yaml&group="));
        Assert.Equal((200, "true"), await open.SendAsync("DELETE", "v1/cs/configs", "dataId=shop.yaml&group="));
        Assert.Empty((await open.Settings.SnapshotAsync()).Settings);
        var (gone, envelope) = await open.SendAsync("GET", "v2/cs/config", "dataId=shop.yaml&group=DEFAULT_GROUP");
        Assert.Equal(404, gone);
        Assert.Contains("20004", envelope, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_of_version_1_that_come_again_are_told_late_and_missing_ones_at_once()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        using var nobody = open.Settings.Running.Client();
        var started = TimeProvider.System.GetTimestamp();
        (int Status, string Body)[] refused = await Task.WhenAll(
            open.PublishAsync("shop.json", "{\"a\":"),
            open.PublishAsync("sh op.json", "{}"),
            open.PublishAsync("shop.json", ""),
            open.PublishAsync("shop.json", "{}", type: "word"),
            open.PublishAsync("shop.json", "{}", headers: ("casMd5", "ffff")),
            open.SendAsync("GET", "v1/cs/configs", "dataId=shop.json&tenant=No_Namespace"),
            open.SendAsync("POST", "v1/cs/configs/listener"),
            open.ListenAsync([["a", "b"]]),
            open.ListenAsync([["a", "b", "", "default", "more"]]));
        Assert.True(TimeProvider.System.GetElapsedTime(started) >= Late);
        Assert.Equal([400, 400, 400, 400, 409, 400, 400, 400, 400], refused.Select(one => one.Status));
        Assert.All(refused, one => Assert.DoesNotContain("{", one.Body, StringComparison.Ordinal));
        // Once each, however many another has: at once. Then a loop of one, as clients have it.
        started = TimeProvider.System.GetTimestamp();
        (int Status, string Body)[] forbidden =
        [
            await open.PublishAsync("shop.json", "{}", nobody),
            await open.SendAsync("GET", "v1/cs/configs", "dataId=shop.json", nobody),
            await open.SendAsync("DELETE", "v1/cs/configs", "dataId=shop.json", nobody),
            await open.SendAsync("GET", "v1/cs/history", "dataId=shop.json", nobody),
            await open.ListenAsync([["shop.json", "DEFAULT_GROUP", ""]], client: nobody),
        ];
        Assert.True(TimeProvider.System.GetElapsedTime(started) < 5 * Late);
        Assert.All(forbidden, one => Assert.Equal(403, one.Status));
        started = TimeProvider.System.GetTimestamp();
        for (var call = 0; call < 3; call++)
            await open.SendAsync("GET", "v1/cs/configs", $"dataId=shop{call}.json", nobody);
        Assert.True(TimeProvider.System.GetElapsedTime(started) >= 3 * Late);
        started = TimeProvider.System.GetTimestamp();
        // Several in a row, so that a machine that is busy for a moment does not count.
        for (var call = 0; call < 5; call++) Assert.Equal(404, (await open.GetAsync("shop.json")).Status);
        Assert.True(TimeProvider.System.GetElapsedTime(started) < 5 * Late);
    }

    [Fact]
    public async Task A_body_that_is_too_large_or_no_text_is_refused_late_and_in_Nacos_s_shape()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        using var large = new ByteArrayContent(new byte[NacosConfigLimits.MaxBodyBytes + 1]);
        large.Headers.TryAddWithoutValidation("Content-Type", "application/x-www-form-urlencoded");
        using var foreign = new ByteArrayContent([.. "dataId=a&content="u8, 0xC3, 0x28]);
        foreign.Headers.TryAddWithoutValidation("Content-Type", "application/x-www-form-urlencoded; charset=utf8");
        var started = TimeProvider.System.GetTimestamp();
        // Who makes them nobody has asked: the second is the first's repetition.
        var answers = await Task.WhenAll(
            open.SendAsync("POST", "v1/cs/configs", body: large),
            open.SendAsync("POST", "v1/cs/configs", body: foreign));
        Assert.True(TimeProvider.System.GetElapsedTime(started) >= Late);
        Assert.Equal([413, 400], answers.Select(one => one.Status));
        Assert.All(answers, one => Assert.DoesNotContain("{", one.Body, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_publication_with_a_hash_counts_only_upon_the_text_of_that_hash()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        await open.MustPublishAsync("a.txt", "one");
        var hash = NacosSettings.HashOf("one");
        Assert.Equal((200, "true"), await open.PublishAsync("a.txt", "two", headers: ("casMd5", hash)));
        Assert.Equal(409, (await open.PublishAsync("a.txt", "three", headers: ("casMd5", hash))).Status);
        Assert.Equal((200, "two"), await open.GetAsync("a.txt"));
    }

    [Fact]
    public async Task A_secret_is_read_with_the_right_to_it_alone()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        await open.Settings.PutAsync("default/password", new SettingSpec("text", "s3cret", Secret: true));
        Assert.Equal((200, "s3cret"), await open.GetAsync("password"));
        using var reader = open.Settings.Running.Client(await open.Settings.Running.MintAsync(
            "reader", [], [new Grant(["read"], ["setting"], ["default"])]));
        const string Query = "dataId=password&group=DEFAULT_GROUP";
        Assert.Equal(403, (await open.SendAsync("GET", "v1/cs/configs", Query, reader)).Status);
        var (_, found) = await open.SendAsync("GET", "v1/cs/configs", Query + "&search=accurate", reader);
        Assert.DoesNotContain("s3cret", found, StringComparison.Ordinal);
        Assert.DoesNotContain(NacosSettings.HashOf("s3cret"), found, StringComparison.Ordinal);
        // Not even whether a guess is right: the poll tells it of no change, whatever it says that it has.
        Assert.Equal((200, ""), await open.SendAsync(
            "POST", "v1/cs/configs/listener",
            $"Listening-Configs=password%02DEFAULT_GROUP%02{NacosSettings.HashOf("a guess")}%01", reader));
    }

    [Fact]
    public async Task A_beta_is_for_the_addresses_it_names_is_a_gray_release_and_ends()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        await open.MustPublishAsync("a.txt", "own");
        // Tests call from 127.0.0.1.
        Assert.Equal(
            (200, "true"), await open.PublishAsync("a.txt", "beta", headers: ("betaIps", "127.0.0.1,10.0.0.7")));
        Assert.Equal((200, "beta"), await open.GetAsync("a.txt"));
        var release = Assert.Single(open.Settings.Running.Node.Snapshots.Current.Of(GrayReleaseKind.Name)).Key;
        Assert.StartsWith("nacos-beta-", release.Name, StringComparison.Ordinal);
        var (_, shown) = await open.GetAsync("a.txt", "&beta=true");
        using var json = JsonDocument.Parse(shown);
        Assert.Equal(
            "127.0.0.1,10.0.0.7", json.RootElement.GetProperty("data").GetProperty("betaIps").GetString());
        Assert.Equal((200, "true"), await open.PublishAsync("a.txt", "other", headers: ("betaIps", "10.0.0.7")));
        Assert.Equal((200, "own"), await open.GetAsync("a.txt"));
        Assert.Equal(200, (await open.SendAsync("DELETE", "v1/cs/configs", "dataId=a.txt&beta=true")).Status);
        Assert.Empty(open.Settings.Running.Node.Snapshots.Current.Of(GrayReleaseKind.Name));
        Assert.Equal(404, (await open.GetAsync("a.txt", "&beta=true")).Status);
        var (status, _) = await open.PublishAsync("a.txt", "beta", headers: ("betaIps", "somewhere"));
        Assert.Equal(400, status);
        // A configuration goes with its beta.
        await open.PublishAsync("a.txt", "beta", headers: ("betaIps", "10.0.0.7"));
        Assert.Equal((200, "true"), await open.SendAsync("DELETE", "v1/cs/configs", "dataId=a.txt"));
        Assert.Empty(open.Settings.Running.Node.Snapshots.Current.Of(GrayReleaseKind.Name));
    }

    [Fact]
    public async Task The_history_has_every_version_with_its_text()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        await open.MustPublishAsync("a.txt", "one");
        await open.MustPublishAsync("a.txt", "two");
        await open.SendAsync("DELETE", "v1/cs/configs", "dataId=a.txt");
        const string Query = "dataId=a.txt&group=DEFAULT_GROUP";
        var (_, list) = await open.SendAsync(
            "GET", "v1/cs/history", Query + "&search=accurate&pageNo=1&pageSize=2");
        using var page = JsonDocument.Parse(list);
        Assert.Equal(3, page.RootElement.GetProperty("totalCount").GetInt32());
        Assert.Equal(2, page.RootElement.GetProperty("pagesAvailable").GetInt32());
        var rows = page.RootElement.GetProperty("pageItems").EnumerateArray().ToArray();
        Assert.Equal(["D", "U"], rows.Select(row => row.GetProperty("opType").GetString()));
        var id = rows[1].GetProperty("id").GetString();
        Assert.Equal("two", await ContentAsync(open, $"v1/cs/history?{Query}&nid={id}"));
        Assert.Equal("one", await ContentAsync(open, $"v1/cs/history/previous?{Query}&id={id}"));
        Assert.Equal("two", await ContentAsync(open, $"v2/cs/history?{Query}&nid={id}"));
        Assert.Equal(404, (await open.SendAsync("GET", "v1/cs/history", $"{Query}&nid=999999")).Status);
        var (_, none) = await open.SendAsync("GET", "v1/cs/history", "dataId=never&group=DEFAULT_GROUP");
        Assert.Contains("\"totalCount\":0", none, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configurations_are_found_by_their_names()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        foreach (var name in (string[])["shop.json", "shop-eu.json", "stock.json"])
            await open.MustPublishAsync(name, "{}");
        Assert.Equal(["shop.json"], await FindAsync(open, "search=accurate&dataId=shop.json&group="));
        Assert.Equal(["shop-eu.json", "shop.json"], await FindAsync(open, "search=blur&dataId=shop*&group=*"));
        Assert.Equal(["shop-eu.json"], await FindAsync(open, "search=blur&dataId=*eu*&group="));
        Assert.Empty(await FindAsync(open, "search=accurate&dataId=shop&group="));
        Assert.Equal(2, (await FindAsync(open, "search=blur&dataId=&group=&pageNo=1&pageSize=2")).Length);
        Assert.Equal(400, (await open.SendAsync("GET", "v1/cs/configs", "search=wild&dataId=")).Status);
    }

    [Fact]
    public void Namespaces_and_groups_are_named_as_the_one_table_names_them()
    {
        foreach (var name in (string?[])[null, "", "public", "default", "shop", "DEFAULT_GROUP"])
        {
            Assert.Equal(ProtocolNames.NamespaceOfNacos(name), NacosSettings.NamespaceOf(name));
            Assert.Equal(ProtocolNames.GroupOfNacos(name), NacosSettings.GroupOf(name));
        }
        foreach (var group in (string[])["default", "shop"])
            Assert.Equal(ProtocolNames.GroupToNacos(group), NacosSettings.GroupTo(group));
    }

    [Fact]
    public async Task A_repeated_publication_is_one_change()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => open.MustPublishAsync("a.txt", "one")));
        var history = await open.Settings.Running.Node.Changes!.History.OfAsync( // A node with a store has them.
            new ResourceKey("setting", "default", "default/a.txt"), null, 10, default);
        Assert.Single(history.Value);
    }

    private static async Task<string[]> FindAsync(OpenNacosConfigs open, string query)
    {
        var (status, body) = await open.SendAsync("GET", "v1/cs/configs", query);
        Assert.True(status == 200, body);
        using var page = JsonDocument.Parse(body);
        return [.. page.RootElement.GetProperty("pageItems").EnumerateArray()
            .Select(row => row.GetProperty("dataId").GetString() ?? "")];
    }

    private static async Task<string?> ContentAsync(OpenNacosConfigs open, string path)
    {
        var (status, body) = await open.SendAsync("GET", path);
        Assert.True(status == 200, body);
        using var json = JsonDocument.Parse(body);
        var root = json.RootElement.TryGetProperty("data", out var data) ? data : json.RootElement;
        return root.GetProperty("content").GetString();
    }
}

using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Protocols.Spring.Sources;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring.Sources;

public sealed class FolderSourceTests : IDisposable
{
    private readonly TemporaryDirectory folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Files_come_in_the_order_that_Spring_has_and_change_with_the_folder()
    {
        Write("application.yml", "a: application\nb: application\n");
        Write("orders.properties", "a=properties\n");
        Write("orders.yml", "a: yml\nc: 1\n---\nspring.config.activate.on-profile: dev\nc: 2\n");
        Write("orders-dev.json", """{"d":{"e":[true]}}""");
        Write("payments.yml", "a: never\n");
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync("files", new ConfigSourceSpec(folder.Path, RefreshSeconds: 1));
        var at = $"file:{folder.Path}";
        Assert.Equal(
            $"{at}/orders-dev.json {at}/orders.properties {at}/orders.yml (document #1) {at}/orders.yml (document #0) "
            + $"{at}/application.yml",
            await node.NamesAsync("orders/dev"));
        Assert.Equal("properties", await node.ValueAsync("orders/dev", "a"));
        Assert.Equal("2", await node.ValueAsync("orders/dev", "c"));
        Assert.Equal("true", await node.ValueAsync("orders/dev", "d.e[0]"));
        var version = $"{(await node.GetAsync("orders/dev")).Body["version"]}";
        Write("payments.yml", "a: other\n");
        Write("orders-dev.json", """{"d":1}""");
        await node.BecomesAsync("orders/dev", "d", "1");
        Assert.NotEqual(version, $"{(await node.GetAsync("orders/dev")).Body["version"]}");
        Assert.StartsWith(
            "a: yml\nc: 1\n---", await node.TextAsync("orders/none/orders.yml?useDefaultLabel"),
            StringComparison.Ordinal);
        Assert.Equal("a: properties\nb: application\nc: 1", await node.TextAsync("orders-x.properties"));
    }

    [Fact]
    public async Task Our_settings_and_sources_count_in_the_order_that_they_say()
    {
        Write("orders.yml", "a: folder\nb: folder\n");
        await using var node = await SourcesNode.StartAsync();
        await node.Settings.MustPublishAsync("orders/orders.yml", "a: ours");
        await node.SourceAsync("files", new ConfigSourceSpec(folder.Path));
        Assert.Equal("ours", await node.ValueAsync("orders/dev", "a"));
        Assert.Equal("folder", await node.ValueAsync("orders/dev", "b"));
        await node.SourceAsync("files", new ConfigSourceSpec(folder.Path, Order: -1));
        Assert.Equal("folder", await node.ValueAsync("orders/dev", "a"));
        await node.SourceAsync("ours", new ConfigSourceSpec(Settings: true, Order: -2));
        Assert.Equal("ours", await node.ValueAsync("orders/dev", "a"));
        await node.SourceAsync("ours", new ConfigSourceSpec(Settings: true, Order: -2, Applications: ["pay*"]));
        Assert.Equal("folder", await node.ValueAsync("orders/dev", "a"));
        await node.SourceAsync("files", new ConfigSourceSpec(folder.Path, Applications: ["payments"]));
        Assert.Equal("404", await node.ValueAsync("orders/dev", "a"));
        await node.Settings.DeleteAsync(ConfigSourceKind.Name, "", "files");
        await node.Settings.DeleteAsync(ConfigSourceKind.Name, "", "ours");
        Assert.Equal("ours", await node.ValueAsync("orders/dev", "a"));
        Assert.Equal("none", await node.ValueAsync("orders/dev", "b"));
    }

    [Fact]
    public async Task Folders_of_applications_profiles_and_labels_are_looked_into()
    {
        Write("apps/orders/orders.yml", "a: app\n");
        Write("apps/payments/orders.yml", "a: never\n");
        Write("apps/orders/application.yml", "c: app\n");
        Write("common/application.yml", "b: common\nc: common\n");
        Write("labels/next/orders/orders.yml", "a: next\n");
        Write("profiles/eu/orders.yml", "d: eu\n");
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync("files", new ConfigSourceSpec(folder.Path, Paths:
            ["labels/{label}/{application}", "apps/{application}", "profiles/{profile}", "common"], Label: "main"));
        Assert.Equal("app", await node.ValueAsync("orders/dev", "a"));
        Assert.Equal("app", await node.ValueAsync("orders/dev/main", "c"));
        Assert.Equal("common", await node.ValueAsync("orders/dev", "b"));
        Assert.Equal("none", await node.ValueAsync("orders/dev", "d"));
        Assert.Equal("eu", await node.ValueAsync("orders/dev,eu", "d"));
        Assert.Equal("next", await node.ValueAsync("orders/dev/next", "a"));
        Assert.Equal("404", await node.ValueAsync("orders/dev/other", "a"));
    }

    [Theory]
    [InlineData("orders/default/..%2F..")]
    [InlineData("orders/default/(_)..(_)..(_)etc")]
    [InlineData("..%2Fout/default")]
    [InlineData("orders/..%2Fout")]
    [InlineData("..%2Fout-default.yml")]
    [InlineData("orders/default/x%2F..%2F..%2Fout/out.yml")]
    [InlineData("orders/default/../out.yml?useDefaultLabel")]
    [InlineData("orders/default/..%2Fout%2Fapplication.yml?useDefaultLabel")]
    public async Task Nothing_in_a_request_leads_out_of_the_folder(string path)
    {
        Write("in/orders.yml", "a: in\n");
        Write("out/application.yml", "a: out\n");
        Write("out/out.yml", "a: out\n");
        Write("out-default.yml", "a: out\n");
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync(
            "files", new ConfigSourceSpec(folder.Combine("in"), Paths: ["{label}", "{application}", "/"]));
        Assert.Equal("in", await node.ValueAsync("orders/default", "a"));
        using var answer = await node.Local.GetAsync($"/config/{path}");
        Assert.False(answer.IsSuccessStatusCode);
        Assert.DoesNotContain("a: out", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Links_lead_nowhere_and_what_is_no_file_is_not_read()
    {
        Write("in/application.yml", "a: in\n");
        Write("out/orders.yml", "a: out\n");
        File.CreateSymbolicLink(folder.Combine("in/orders.yml"), folder.Combine("out/orders.yml"));
        Directory.CreateSymbolicLink(folder.Combine("in/linked"), folder.Combine("out"));
        Write("in/.git/config", "hidden");
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync(
            "files", new ConfigSourceSpec(folder.Combine("in"), Paths: ["linked", "/"], RefreshSeconds: 1));
        Assert.Equal("in", await node.ValueAsync("orders/default", "a"));
        Assert.Equal(404, await node.StatusAsync("orders/default/linked%2Forders.yml?useDefaultLabel"));
        // A pipe that nobody writes to would hold up whoever opens it.
        using (var made = System.Diagnostics.Process.Start("mkfifo", [folder.Combine("in/orders-dev.yml")]))
            await made.WaitForExitAsync();
        Write("in/application.yml", "a: later\n");
        await node.BecomesAsync("orders/dev", "a", "later");
    }

    [Fact]
    public async Task A_folder_beyond_the_bounds_is_refused_and_what_was_there_stays()
    {
        Write("orders.yml", "a: 1\n");
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync("files", new ConfigSourceSpec(folder.Path, RefreshSeconds: 1));
        Assert.Equal("1", await node.ValueAsync("orders/default", "a"));
        for (var at = 0; at < SourceTree.MaxBytes / SourceTree.MaxFileBytes + 1; at++)
            Write($"large/{at}.txt", new string('x', SourceTree.MaxFileBytes));
        Write("orders.yml", "a: 2\n");
        await node.SaysAsync("more than 33554432 bytes");
        Assert.Equal("1", await node.ValueAsync("orders/default", "a"));
        Directory.Delete(folder.Combine("large"), recursive: true);
        Write("orders.bin", "\u0001");
        File.WriteAllBytes(folder.Combine("no-text.conf"), [0xff, 0xfe, 0x00]);
        Write("larger.conf", new string('x', SourceTree.MaxFileBytes + 1));
        await node.BecomesAsync("orders/default", "a", "2");
        Assert.Equal(503, await node.StatusAsync("orders/default/no-text.conf?useDefaultLabel"));
        Assert.Equal(503, await node.StatusAsync("orders/default/larger.conf?useDefaultLabel"));
    }

    [Fact]
    public async Task A_folder_outside_of_the_roots_of_the_node_is_not_read_even_by_a_link()
    {
        Write("out/orders.yml", "a: out\n");
        Directory.CreateDirectory(folder.Combine("open"));
        Directory.CreateSymbolicLink(folder.Combine("open/linked"), folder.Combine("out"));
        await using var node = await SourcesNode.StartAsync(
            configure: one => one with { FileRoots = [folder.Combine("open")] });
        foreach (var path in new[] { "out", "open/linked", "open/none" })
        {
            await node.SourceAsync("files", new ConfigSourceSpec(folder.Combine(path)));
            Assert.Equal(503, await node.StatusAsync("orders/default"));
        }
        await node.SourceAsync("files", new ConfigSourceSpec(folder.Combine("open")));
        Assert.Equal(200, await node.StatusAsync("orders/default"));
    }

    [Fact]
    public async Task Who_may_read_settings_of_an_application_may_read_its_files_and_no_others()
    {
        Write("orders.yml", "a: orders\n");
        Write("payments.yml", "a: payments\n");
        Write("apps/orders/site.conf", "orders");
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync("files", new ConfigSourceSpec(folder.Path, Paths: ["apps/{application}", "/"]));
        using var reader = node.Settings.Running.Client(await node.Settings.Running.MintAsync(
            "orders", [], [new Grant(["read"], [SettingKind.Name], ["default"], ["orders/*"])]));
        Assert.Equal("orders", await node.ValueAsync("orders/default", "a", reader));
        Assert.Equal("none", await node.ValueAsync("payments/default", "a", reader));
        Assert.Equal("orders", await node.TextAsync("orders/default/site.conf?useDefaultLabel", reader));
        Assert.Equal(404, await node.StatusAsync("orders/default/payments.yml?useDefaultLabel", reader));
        Assert.Equal(200, await node.StatusAsync("orders/default/payments.yml?useDefaultLabel"));
        using var nobody = node.Settings.Running.Client();
        Assert.Equal(401, await node.StatusAsync("orders/default", nobody));
    }

    private void Write(string path, string text) => folder.Write(path, text);
}

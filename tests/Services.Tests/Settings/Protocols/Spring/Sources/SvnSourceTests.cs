using System.Globalization;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Protocols.Spring.Sources;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring.Sources;

public sealed class SvnSourceTests : IDisposable
{
    private readonly SvnRepository svn = new();

    public void Dispose() => svn.Dispose();

    [Fact]
    public async Task A_label_is_trunk_a_branch_or_a_tag_and_the_version_is_the_revision()
    {
        svn.Commit(("trunk/orders.yml", "a: trunk\n"), ("trunk/application.yml", "b: all\n"));
        svn.Commit(("branches/next/orders.yml", "a: next\n"), ("branches/odd@2/orders.yml", "a: odd\n"));
        var tag = svn.Commit(("tags/v1/orders.yml", "a: v1\n"));
        svn.Commit(("private/orders.yml", "a: never\n"));
        await using var node = await StartAsync();
        Assert.Equal(
            $"{svn.Url}/trunk/orders.yml {svn.Url}/trunk/application.yml", await node.NamesAsync("orders/dev"));
        Assert.Equal("trunk", $"{(await node.GetAsync("orders/dev")).Body["label"]}");
        foreach (var (label, value) in new[] { ("trunk", "trunk"), ("next", "next"), ("odd@2", "odd"), ("v1", "v1") })
            Assert.Equal(value, await node.ValueAsync($"orders/dev/{label}", "a"));
        Assert.Equal(
            tag.ToString(CultureInfo.InvariantCulture), $"{(await node.GetAsync("orders/dev/v1")).Body["version"]}");
        Assert.Equal("a: next\n", await node.TextAsync("orders/dev/next/orders.yml"));
        foreach (var label in new[] { "none", "private", "branches", "%252e%252e(_)private", "next@1", "HEAD" })
            Assert.Equal(404, await node.StatusAsync($"orders/dev/{label}"));
        Assert.Equal(400, await node.StatusAsync("orders/dev/..(_)private"));
    }

    [Fact]
    public async Task Changes_come_with_the_next_look_and_a_deleted_branch_is_not_found()
    {
        svn.Commit(("trunk/orders.yml", "a: 1\n"), ("branches/old/orders.yml", "a: old\n"));
        await using var node = await StartAsync(refreshSeconds: 1);
        Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
        Assert.Equal("old", await node.ValueAsync("orders/dev/old", "a"));
        svn.Commit(("trunk/orders.yml", "a: 2\n"), ("branches/old/orders.yml", "a: older\n"));
        await node.BecomesAsync("orders/dev", "a", "2");
        await node.BecomesAsync("orders/dev/old", "a", "older");
        svn.Svn("delete", "-q", "-m", "gone", $"{svn.Url}/branches/old");
        await node.BecomesAsync("orders/dev/old", "a", "404");
    }

    [Fact]
    public async Task What_was_read_last_is_served_while_the_repository_is_gone_and_after_a_restart()
    {
        using var data = new TemporaryDirectory();
        svn.Commit(("trunk/orders.yml", "a: 1\n"), ("branches/next/orders.yml", "a: next\n"));
        await using (var node = await StartAsync(refreshSeconds: 1, directory: data.Path))
        {
            Assert.Equal("next", await node.ValueAsync("orders/dev/next", "a"));
            Directory.Move(svn.Folder, svn.Folder + "-away");
            await node.SaysAsync("repo:");
            Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
        }
        await using (var node = await SourcesNode.StartAsync(data.Path))
        {
            Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
            Assert.Equal("next", await node.ValueAsync("orders/dev/next", "a"));
            Directory.Move(svn.Folder + "-away", svn.Folder);
            svn.Commit(("trunk/orders.yml", "a: 2\n"));
            await node.BecomesAsync("orders/dev", "a", "2");
        }
    }

    [Fact]
    public async Task Links_and_externals_of_a_repository_mean_nothing()
    {
        using var outside = new TemporaryDirectory();
        outside.Write("orders.yml", "a: outside\n");
        svn.Commit(("trunk/application.yml", "a: inside\n"), ("private/orders.yml", "a: external\n"));
        File.CreateSymbolicLink(Path.Combine(svn.Copy, "trunk", "orders.yml"), outside.Combine("orders.yml"));
        Directory.CreateSymbolicLink(Path.Combine(svn.Copy, "trunk", "linked"), outside.Path);
        svn.Svn("propset", "-q", "svn:externals", "^/private module", Path.Combine(svn.Copy, "trunk"));
        svn.Commit();
        await using var node = await StartAsync(paths: ["linked", "module", "/"]);
        Assert.Equal("inside", await node.ValueAsync("orders/dev", "a"));
        foreach (var path in new[] { "orders.yml", "linked%2Forders.yml", "module%2Forders.yml" })
            Assert.Equal(404, await node.StatusAsync($"orders/dev/{path}?useDefaultLabel"));
    }

    [Fact]
    public async Task A_folder_beyond_its_bound_is_refused_and_what_was_there_stays()
    {
        svn.Commit(("trunk/orders.yml", "a: 1\n"));
        await using var node = await StartAsync(refreshSeconds: 1, maxMegabytes: 1);
        Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
        svn.Commit(("trunk/orders.yml", "a: 2\n"), ("trunk/large.txt", new string('x', 2 * 1024 * 1024)));
        await node.SaysAsync("larger than 1 MiB");
        Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
    }

    [Fact]
    public async Task A_password_goes_to_the_server_and_a_server_that_hangs_is_left_in_time()
    {
        const string Secret = "canary-svn-5fd1c0ffee";
        svn.Commit(("trunk/orders.yml", "a: served\n"));
        await using var server = await SvnServer.StartAsync(svn, "bot", Secret);
        await using var silent = new SilentServer();
        await using var node = await SourcesNode.StartAsync();
        var spec = new ConfigSourceSpec(
            Svn: $"svn://127.0.0.1:{server.Port.ToString(CultureInfo.InvariantCulture)}", RefreshSeconds: 1,
            TimeoutSeconds: 2, Username: "bot", Password: SecretText.Of("wrong"));
        await node.SourceAsync("repo", spec);
        Assert.Equal(503, await node.StatusAsync("orders/dev"));
        await node.SourceAsync("repo", spec with { Password = SecretText.Of(Secret) });
        Assert.Equal("served", await node.ValueAsync("orders/dev", "a"));
        var kept = Path.Combine(node.Settings.Running.Node.DataDirectory.Path, "config-sources");
        foreach (var file in Directory.EnumerateFiles(kept, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain(Secret, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        await node.SourceAsync("repo", spec with
        {
            Svn = $"svn://127.0.0.1:{silent.Port.ToString(CultureInfo.InvariantCulture)}/x",
        });
        var (status, body) = await node.GetAsync("orders/dev");
        Assert.Equal(503, status);
        Assert.Contains("took longer than 2 s", $"{body["message"]}", StringComparison.Ordinal);
        await node.Settings.Running.StopAsync();
        Assert.DoesNotContain(Secret, node.Settings.Running.Log.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("svn+ssh://example.com/x")]
    [InlineData("-r1")]
    [InlineData("svn://user:password@example.com/x")]
    [InlineData("file:///srv/../x")]
    public async Task An_address_that_is_none_is_a_fault_of_its_field(string address)
    {
        await using var node = await SourcesNode.StartAsync();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => node.SourceAsync("repo", new ConfigSourceSpec(Svn: address)));
        Assert.Contains("resource_invalid", refused.Message, StringComparison.Ordinal);
    }

    private async Task<SourcesNode> StartAsync(
        int refreshSeconds = 3600, int maxMegabytes = 256, string? directory = null, string[]? paths = null)
    {
        var node = await SourcesNode.StartAsync(directory);
        await node.SourceAsync("repo", new ConfigSourceSpec(
            Svn: svn.Url, RefreshSeconds: refreshSeconds, MaxMegabytes: maxMegabytes, Paths: paths));
        return node;
    }
}

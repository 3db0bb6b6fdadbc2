using System.Net;
using System.Net.Http.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Groups;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Groups;

public sealed class SettingGroupTests
{
    [Fact]
    public async Task Included_groups_are_read_below_the_group_that_includes_them()
    {
        await using var open = await OpenSettings.StartAsync();
        foreach (var group in new[] { "base", "shared", "eu", "orders" })
            await open.MustPublishAsync($"{group}/a", group);
        await open.MustPublishAsync("other/a", "other");
        await IncludeAsync(open, "eu", "base");
        await IncludeAsync(open, "orders", "eu", "shared");

        var snapshot = await open.SnapshotAsync("?group=orders");
        Assert.Equal(["base", "eu", "shared", "orders"], snapshot.Groups);
        Assert.Equal(["base", "eu", "orders", "shared"], snapshot.Settings.Select(setting => setting.Group));
        // What comes up again keeps its first place.
        Assert.Equal(
            ["shared", "base", "eu", "orders"], (await open.SnapshotAsync("?group=shared&group=orders")).Groups);
        Assert.Equal(["other"], (await open.SnapshotAsync("?group=other")).Groups);
        Assert.Equal(
            ["base", "eu", "shared", "orders", "other"],
            (await open.SnapshotAsync()).Groups?.OrderBy(group => group == "other" ? 1 : 0));
    }

    [Fact]
    public async Task A_watch_tells_what_comes_and_goes_with_an_included_group_and_a_new_order()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("a/x", "a");
        await open.MustPublishAsync("b/x", "b");
        await open.MustPublishAsync("orders/x", "orders");
        await using var watch = await open.WatchAsync("?group=orders");
        await IncludeAsync(open, "orders", "a", "b");
        var begun = await watch.NewsAsync();
        Assert.Equal(["a", "b"], begun.Settings.Select(setting => setting.Content));
        Assert.Equal(["a", "b", "orders"], begun.Groups);

        await IncludeAsync(open, "orders", "b", "a");
        var turned = await watch.NewsAsync();
        Assert.Empty(turned.Settings);
        Assert.Equal(["b", "a", "orders"], turned.Groups);

        await IncludeAsync(open, "orders", "b");
        Assert.Equal(["a/x"], (await watch.NewsAsync()).Removed);
        await open.MustPublishAsync("b/x", "b2");
        Assert.Equal("b2", Assert.Single((await watch.NewsAsync()).Settings).Content);
    }

    [Fact]
    public async Task A_circle_too_many_levels_and_too_many_groups_are_refused()
    {
        await using var open = await OpenSettings.StartAsync();
        await RefusedAsync("a circle, a → a", "a", "a");
        await IncludeAsync(open, "b", "c");
        await IncludeAsync(open, "a", "b");
        await RefusedAsync("a circle, c → a → b → c", "c", "a");

        // Eight levels above the ninth group, and one more anywhere is too much.
        for (var level = 0; level < SettingGroupKind.MaxLevels; level++)
            await IncludeAsync(open, $"l{level}", $"l{level + 1}");
        await RefusedAsync("more than 8 levels", "l8", "l9");
        await RefusedAsync("more than 8 levels", "top", "l0");

        await IncludeAsync(open, "wide", [.. Enumerable.Range(0, 20).Select(number => $"w{number}")]);
        await IncludeAsync(open, "broad", [.. Enumerable.Range(0, 11).Select(number => $"v{number}")]);
        await RefusedAsync("more than 32 groups", "both", "wide", "broad");
        await RefusedAsync("must have 1 to 31 groups", "many", [.. Enumerable.Range(0, 32).Select(n => $"m{n}")]);
        await RefusedAsync("names x a second time", "twice", "x", "x");
        await RefusedAsync("must be a group", "slash", "x/y");
        await RefusedAsync("must be one segment", "x/y", "z");

        async Task RefusedAsync(string message, string name, params string[] includes)
        {
            using var answer = await open.Local.PutAsJsonAsync(
                $"/groundwork/v1/resources/setting-group/default/{name}",
                new { spec = new SettingGroupSpec(includes) });
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
            Assert.Contains(message, Assert.Single((await open.ProblemAsync(answer)).Fields ?? []).Message);
        }
    }

    [Fact]
    public async Task Includes_give_no_rights_and_tell_no_names()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("hidden/a", "hidden");
        await open.MustPublishAsync("orders/a", "orders");
        await IncludeAsync(open, "orders", "hidden");
        using var client = open.Running.Client(await open.Running.MintAsync(
            "program", [], [new Grant(["read"], [SettingKind.Name], ["default"], ["orders/*"])]));
        foreach (var query in new[] { "", "?group=orders" })
        {
            var snapshot = await open.SnapshotAsync(query, client);
            Assert.Equal(["orders"], snapshot.Settings.Select(setting => setting.Content));
            Assert.Equal(["orders"], snapshot.Groups);
        }
    }

    private static Task<long> IncludeAsync(OpenSettings open, string group, params string[] includes) =>
        open.CommitAsync(Change.Put(SettingGroupKind.Kind, "default", group, new SettingGroupSpec(includes)));
}

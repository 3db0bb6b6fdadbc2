using System.Net;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Releases;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings;

public sealed class SettingSummariesTests
{
    [Fact]
    public async Task Settings_are_listed_with_what_stands_beside_their_texts_and_without_these()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("yaml", "canary: 1", Secret: true, Description: "what it is for"));
        var revision = await open.MustPublishAsync("g/deep/b.json", """{"canary":1}""");
        await open.CommitAsync(Change.Put(
            GrayReleaseKind.Kind, "default", "r",
            new GrayReleaseSpec("g/deep/b.json", """{"canary":2}""", new GrayReceivers(Percent: 1))));

        using var answer = await open.Local.GetAsync("/groundwork/v1/setting-summaries");
        Assert.DoesNotContain("canary", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var all = await ListAsync(open, "");
        Assert.Equal(
            ["g a yaml True what it is for ", "g deep/b.json json False  r"],
            all.Items.Select(one => $"{one.Group} {one.DataId} {one.Format} {one.Secret} {one.Description} "
                + string.Join(',', one.Releases ?? [])));
        Assert.Equal(revision, all.Items[1].Revision);

        // What was kept of a version is not told of the next.
        await open.PutAsync("g/a", new SettingSpec("text", "1"));
        Assert.Equal(["text", "json"], (await ListAsync(open, "")).Items.Select(one => one.Format));
        Assert.Equal(["deep/b.json"], (await ListAsync(open, "?prefix=g/deep")).Items.Select(one => one.DataId));
        Assert.Equal(["g"], (await ListAsync(open, "?format=text")).Items.Select(one => one.Group));
    }

    [Fact]
    public async Task Pages_go_on_where_the_one_before_ended()
    {
        await using var open = await OpenSettings.StartAsync();
        for (var number = 0; number < 5; number++) await open.MustPublishAsync($"g/{number}", "1");
        var found = new List<string>();
        string? page = null;
        do
        {
            var list = await ListAsync(open, $"?limit=2{(page is null ? "" : $"&page={page}")}");
            Assert.InRange(list.Items.Count, 1, 2);
            found.AddRange(list.Items.Select(one => one.DataId));
            page = list.NextPage;
        }
        while (page is not null);
        Assert.Equal(["0", "1", "2", "3", "4"], found);
    }

    [Theory]
    [InlineData("?format=word")]
    [InlineData("?limit=0")]
    [InlineData("?limit=10001")]
    [InlineData("?page=none")]
    [InlineData("?page=default")]
    public async Task A_question_that_makes_no_sense_is_refused(string query)
    {
        await using var open = await OpenSettings.StartAsync();
        using var answer = await open.Local.GetAsync($"/groundwork/v1/setting-summaries{query}");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Nobody_is_told_of_settings_that_it_may_not_read()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/a", "1");
        using var stranger = open.Running.Client(await open.Running.MintAsync(
            "stranger", [], [new Grant(["read"], [SettingKind.Name], ["other"])]));
        Assert.Empty((await ListAsync(open, "", stranger)).Items);
        Assert.Empty((await ListAsync(open, "?namespace=default", stranger)).Items);
    }

    private static Task<SettingList> ListAsync(OpenSettings open, string query, HttpClient? client = null) =>
        open.MustGetAsync($"setting-summaries{query}", WireJson.Strict.SettingList, client);
}

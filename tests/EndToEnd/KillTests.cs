using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>Acknowledged means on disk: the real process is killed in the middle of commits, again and again.</summary>
public sealed class KillTests
{
    private const string NodeName = "kill";
    private const int Writers = 8;
    private const int PageSize = 500;

    // What each writer was last told is there, and the writer of each revision that was acknowledged. Under its lock.
    private readonly Dictionary<string, int> acknowledged = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, string> revisions = [];

    [Fact]
    public async Task Kill_9_in_the_middle_of_commits_loses_nothing_acknowledged_and_tears_nothing()
    {
        using var directory = new TemporaryDirectory();
        var data = Path.Combine(directory.Path, "data");
        var random = LongRun.Random();
        var kills = LongRun.Count(usual: 3, whole: 100);
        var started = TimeProvider.System.GetTimestamp();
        for (var round = 0; round < kills; round++)
        {
            await using var node = await StartAsync(data);
            await CheckNewestAsync(node);
            using var client = node.Local();
            var writing = Enumerable.Range(0, Writers).Select(writer => WriteAsync(client, writer)).ToList();
            // The kill falls into the midst of commits, not before the first one.
            var before = Acknowledged;
            await Eventually.TrueAsync(() => Acknowledged > before, "a write is acknowledged");
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 300)), TimeProvider.System);
            node.Signal(Signals.Kill);
            await node.ExitAsync();
            await Task.WhenAll(writing);
        }
        await using (var last = await StartAsync(data))
        {
            await CheckNewestAsync(last);
            await CheckTimelineAsync(last);
            var (exit, output, error) = await last.VerbAsync("", "audit", "verify");
            Assert.True(exit == 0, output + error);
            last.Signal(Signals.Kill); // The store is verified as a crash leaves it.
            await last.ExitAsync();
        }
        var verified = await VerifyOfflineAsync(data);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{kills} kills in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} s, {revisions.Count} "
            + $"acknowledged changesets, {verified.ChangesVerified} changes and {verified.EventsVerified} events "
            + "verified offline");
    }

    private int Acknowledged
    {
        get
        {
            lock (revisions) return revisions.Count;
        }
    }

    private static Task<GroundworkProcess> StartAsync(string data) => GroundworkProcess.StartAsync(
        data, ["run", .. GroundworkProcess.AnyPorts, "--set", $"nodeName={NodeName}"]);

    /// <summary>Two resources in one changeset, so that a torn commit would show as two that differ.</summary>
    private async Task WriteAsync(HttpClient client, int writer)
    {
        var key = $"w{writer}";
        int start;
        lock (revisions) start = acknowledged.GetValueOrDefault(key, -1) + 1;
        for (var number = start; ; number++)
        {
            var text = JsonSerializer.SerializeToElement(new { format = "text", content = $"{number}" });
            var request = new ChangesetRequest(
            [
                new ChangeDocument("put", new ResourceDocument("setting", $"kill/{key}-a", Spec: text)),
                new ChangeDocument("put", new ResourceDocument("setting", $"kill/{key}-b", Spec: text)),
            ]);
            if (await TryAsync(client, request) is not { } answer) return;
            lock (revisions)
            {
                acknowledged[key] = number;
                // The first of a round may repeat the one whose answer the kill has swallowed.
                if (answer.Changes.All(change => change.Result != "unchanged")) revisions.Add(answer.Revision, key);
            }
        }
    }

    /// <summary>Null when the node was killed.</summary>
    private static async Task<ChangesetAnswer?> TryAsync(HttpClient client, ChangesetRequest request)
    {
        try
        {
            using var response = await client.PostAsJsonAsync(
                "changesets", request, WireJson.Strict.ChangesetRequest);
            if (!response.IsSuccessStatusCode) Assert.Fail(await response.Content.ReadAsStringAsync());
            return await response.Content.ReadFromJsonAsync(WireJson.Lenient.ChangesetAnswer);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private async Task CheckNewestAsync(GroundworkProcess node)
    {
        using var client = node.Local();
        foreach (var (key, number) in acknowledged)
        {
            var (a, b) = (await ReadAsync(client, $"{key}-a"), await ReadAsync(client, $"{key}-b"));
            Assert.Equal(a, b);
            // The last write may have reached the disk without its answer reaching us.
            Assert.InRange(a, number, number + 1);
        }
    }

    /// <summary>
    /// No revision is missing, every acknowledged one is its writer's, and each has both its changes.
    /// </summary>
    private async Task CheckTimelineAsync(GroundworkProcess node)
    {
        using var client = node.Local();
        var names = new Dictionary<long, string[]>();
        string? page = null;
        long head = 0;
        do
        {
            var path = $"changesets?limit={PageSize}" + (page is null ? "" : $"&page={Uri.EscapeDataString(page)}");
            var list = await client.GetFromJsonAsync(path, WireJson.Lenient.ChangesetList);
            Assert.NotNull(list);
            head = Math.Max(head, list.Revision);
            foreach (var changeset in list.Items)
                names.Add(changeset.Revision, [.. changeset.Changes.Select(change => change.Resource.Name).Order()]);
            page = list.NextPage;
        }
        while (page is not null);
        Assert.Equal(head, names.Count);
        Assert.All(Enumerable.Range(1, (int)head), revision => Assert.True(names.ContainsKey(revision)));
        Assert.NotEmpty(revisions);
        foreach (var (revision, key) in revisions) Assert.Equal([$"kill/{key}-a", $"kill/{key}-b"], names[revision]);
    }

    private static async Task<AuditVerification> VerifyOfflineAsync(string data)
    {
        string[] verify =
            ["audit", "verify", "--offline", "--data", data, "--set", $"nodeName={NodeName}", "-o", "json"];
        var (exit, output, error) = await GroundworkProcess.RunAsync("", verify);
        Assert.True(exit == 0, output + error);
        var verification = JsonSerializer.Deserialize(output, WireJson.Lenient.AuditVerification);
        Assert.True(verification is { Intact: true }, output);
        return verification;
    }

    private static async Task<int> ReadAsync(HttpClient client, string name)
    {
        var resource = await client.GetFromJsonAsync(
            $"resources/setting/default/kill/{name}", WireJson.Lenient.ResourceDocument);
        return int.Parse(
            resource!.Spec!.Value.GetProperty("content").GetString()!, CultureInfo.InvariantCulture);
    }
}

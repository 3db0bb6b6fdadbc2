using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.KeyValue;

/// <summary>The same etcdctl commands against a real etcd 3.4 and against us: the same answers.</summary>
public sealed class EtcdctlTests : IAsyncLifetime
{
    /// <summary>What is run, each after the one before; what stands after a bar is its input.</summary>
    private static readonly string[] Script =
    [
        "put app/a 1 -w json", "put app/b 2 --prev-kv -w json", "put app/a 3 --prev-kv -w json", "put apq no",
        "get app/a -w json", "get app/none -w json", "get app/ --prefix -w json", "get app/ --prefix --limit=1 -w json",
        "get app/ --prefix --keys-only", "get app/ --prefix --count-only -w json",
        "get app/ --prefix --order=DESCEND --sort-by=KEY -w json", "get app/ --prefix --sort-by=VERSION -w json",
        "get app/ --prefix --order=DESCEND --sort-by=CREATE -w json", "get app/ --prefix --sort-by=VALUE -w json",
        "get app/ --prefix --sort-by=MODIFY --limit=1 -w json", "get app/a app/b -w json",
        "get app/b --from-key -w json",
        "get app/a --rev=2 -w json", "get app/a --rev=99 -w json", "get app/z app/a -w json",
        "put app/a --ignore-value --lease=0", "put none --ignore-value", "put app/a v --ignore-lease -w json",
        "put app/a v --lease=1",
        "txn -w json|value(\"app/a\") = \"v\"\nmod(\"app/b\") > \"1\"\n\n"
            + "put app/c 9\nget app/ --prefix\ndel apq\n\nput no x\n\n",
        "txn -w json|create(\"app/a\") = \"0\"\n\nput no x\n\nget app/a\n\n",
        "txn -w json|version(\"none\") = \"0\"\nlease(\"app/a\") = \"0\"\n\nput app/d 1\n\n\n",
        "txn -w json|value(\"none\") = \"\"\n\n\nget none\n\n",
        "txn|\nput dup 1\nput dup 2\n\n\n", "txn|\nput dup/a 1\ndel dup --prefix\n\n\n",
        "txn|\nput app/a 1 --lease=77\n\n\n", "get dup --prefix -w json",
        "del app/c --prev-kv -w json", "del app/c -w json", "del none --prefix -w json",
        "lease grant 1", "lease grant 600", "put l/a 1 --lease=$2 -w json", "put l/b 2 --lease=$2 -w json",
        "lease timetolive $2 --keys", "lease timetolive 77", "lease keep-alive $2 --once", "lease revoke $2",
        "get l/ --prefix -w json", "lease revoke $2", "lease keep-alive 77 --once", "lease revoke 77",
        "put l/c 1 --lease=77",
        "compaction 5", "get app/a --rev=3 -w json", "get app/a --rev=5 -w json", "compaction 5", "compaction 999",
        "get app/ --prefix -w json", "del app/ --prefix -w json", "get app/ --from-key -w json", "endpoint health",
    ];

    private RunningNode node = null!; // Started before every test.
    private string key = "";

    public async ValueTask InitializeAsync()
    {
        node = await RunningNode.StartAsync([new RegistryModule(), new KeyValueModule()]);
        key = await node.MintAsync("all", [BuiltInRoles.Administrator]);
    }

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Fact]
    public async Task The_same_script_gives_the_same_answers_as_a_real_etcd()
    {
        await using var server = await EtcdServer.StartAsync();
        var (theirs, ours) = (new Etcdctl(server.Port), Ours());
        var differences = new List<string>();
        foreach (var line in Script)
        {
            var parts = line.Split('|');
            var input = parts.Length > 1 ? parts[1] : "";
            var expected = await theirs.RunAsync(parts[0], input);
            var seen = await ours.RunAsync(parts[0], input);
            // The time that a health check took, and whose it was.
            if (parts[0] == "endpoint health") (expected, seen) = (expected[^6..], seen[^6..]);
            if (expected != seen) differences.Add($"{line}\n  etcd: {expected}\n  ours: {seen}");
        }
        Assert.True(differences.Count == 0, string.Join("\n", differences));
    }

    [Fact]
    public async Task Watches_see_the_same_history_as_of_a_real_etcd()
    {
        await using var server = await EtcdServer.StartAsync();
        var (theirs, ours) = (new Etcdctl(server.Port), Ours());
        foreach (var line in new[]
        {
            "put w/a 1", "put w/a 2", "put x/a 1", "del w/a", "txn|\nput w/b 1\nput w/c 2\n\n\n", "put w/z end",
        })
        {
            var parts = line.Split('|');
            Assert.Equal(
                await theirs.RunAsync(parts[0], parts.ElementAtOrDefault(1) ?? ""),
                await ours.RunAsync(parts[0], parts.ElementAtOrDefault(1) ?? ""));
        }
        foreach (var watch in new[]
        {
            "watch w/ --prefix --rev=1", "watch w/ --prefix --rev=3 --prev-kv", "watch w/z --rev=2",
        })
            Assert.Equal(await theirs.FollowAsync(watch, "end"), await ours.FollowAsync(watch, "end"));
        await theirs.RunAsync("compaction 4");
        await ours.RunAsync("compaction 4");
        var compacted = "watch w/ --prefix --rev=2";
        Assert.Equal(await theirs.RunAsync(compacted), await ours.RunAsync(compacted));
        Assert.Contains("canceled by the server", await ours.RunAsync(compacted), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lease_that_nobody_keeps_alive_ends_and_its_key_goes()
    {
        var ours = Ours();
        await ours.RunAsync("lease grant 2");
        await ours.RunAsync("put eph/a here --lease=$1");
        var lines = await ours.FollowAsync("watch eph/a --rev=2", "DELETE");
        Assert.Equal("DELETE", lines[^1]);
        Assert.DoesNotContain("here", await ours.RunAsync("get eph/a"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_and_members_are_told_and_what_is_not_served_is_unimplemented()
    {
        var ours = Ours();
        Assert.Contains("3.4.0", await ours.RunAsync("endpoint status"), StringComparison.Ordinal);
        Assert.Contains("started", await ours.RunAsync("member list"), StringComparison.Ordinal);
        Assert.Contains("Unimplemented", await ours.RunAsync("user list"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_credential_or_with_a_wrong_one_nothing_is_told()
    {
        Assert.Contains(
            "user name is empty", await new Etcdctl(Port).RunAsync("get app --prefix"), StringComparison.Ordinal);
        Assert.Contains(
            "authentication failed",
            await new Etcdctl(Port, "root:wrong").RunAsync("get app --prefix"), StringComparison.Ordinal);
        var reader = await node.MintAsync("reader", [], [new Grant(["read"], ["kv-key"], ["default"], ["app/*"])]);
        var narrow = new Etcdctl(Port, $"reader:{reader}");
        Assert.EndsWith("exit 0", await narrow.RunAsync("get app/ --prefix"), StringComparison.Ordinal);
        foreach (var refused in new[]
        {
            "get app --prefix", "get other/a", "put app/a 1", "del app/a", "lease grant 5", "compaction 1",
            "get app/a app/b --rev=1 --prefix",
        })
            Assert.DoesNotContain("exit 0", await narrow.RunAsync(refused), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_of_a_key_that_is_revoked_meanwhile_ends_without_telling_more()
    {
        var reader = await node.MintAsync("reader", [], [new Grant(["read"], ["kv-key"], ["default"], ["app/*"])]);
        await Ours().RunAsync("put app/a first");
        var changes = node.Node.Changes ?? throw new InvalidOperationException("There is no store.");
        var following = new Etcdctl(Port, $"reader:{reader}").FollowAsync(
            "watch app/ --prefix --rev=1", "never",
            async line =>
            {
                if (line != "first") return;
                var revoked = await changes.CommitAsync(
                    new Changeset(
                        Principal.System("test"),
                        [Change.Delete(new ResourceKey(SecurityKinds.AccessKey.Name, "", "reader"))]),
                    CancellationToken.None);
                Assert.True(revoked.Succeeded);
                await Ours().RunAsync("put app/a second");
            });
        Assert.Equal(["PUT", "app/a", "first"], (await following)[..3]);
        Assert.DoesNotContain("second", await following);
    }

    private int Port => node.Node.Listeners.UrlOf(ProtocolListeners.GrpcName).Port;

    private Etcdctl Ours() => new(Port, $"all:{key}");
}

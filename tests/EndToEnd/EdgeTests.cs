using System.Net;
using System.Net.Http.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>A gateway that follows a node and has no database.</summary>
public sealed class EdgeTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    [Fact]
    public async Task Edge_has_the_followed_store_and_none_of_its_own()
    {
        await using var core = await Product.StartAsync();
        var key = WriteKey(await core.MintAsync("edge", [BuiltInRoles.Reader]));
        await using var edge = await StartAsync(core.Node.Listeners.UrlOf(ListenerDefinition.Api), key);

        Assert.Equal(core.Node.Snapshots.Current.StoreId, edge.Node.Snapshots.Current.StoreId);
        Assert.Null(edge.Node.Storage);
        Assert.True(edge.Node.Configuration.IsEdge);
        using var unknown = await edge.Client(listener: ListenerDefinition.Gateway).GetAsync("/");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        var version = await edge.Local.GetFromJsonAsync("/groundwork/v1/version", WireJson.Strict.VersionDocument);
        Assert.StartsWith("follower of", version?.Engine);
        using var refused = await edge.Local.GetAsync("/groundwork/v1/nodes");
        Assert.Equal(ErrorCodes.ReadOnlyFollower.Status, (int)refused.StatusCode);
    }

    [Fact]
    public async Task Edge_that_hears_nothing_new_is_fresh_and_one_whose_node_is_away_says_how_old_it_is()
    {
        var time = new ManualTimeProvider();
        await using var core = await Product.StartAsync();
        var key = WriteKey(await core.MintAsync("edge", [BuiltInRoles.Reader]));
        await using var edge = await StartAsync(core.Node.Listeners.UrlOf(ListenerDefinition.Api), key, time);
        await core.MintAsync("news", [BuiltInRoles.Reader]);
        await Eventually.TrueAsync(
            () => edge.Node.Snapshots.Current.Revision == core.Node.Snapshots.Current.Revision, "the edge follows");
        time.Advance(TimeSpan.FromSeconds(15)); // The node says that there is nothing new, so often.
        Assert.Equal("ok", (await HealthAsync(edge)).Status);

        await core.StopAsync();
        await Eventually.TrueAsync(() => edge.Node.Snapshots.Staleness > TimeSpan.Zero, "the node is missed");
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.InRange(edge.Node.Snapshots.Staleness.TotalSeconds, 60, 80);
        await Eventually.PassesAsync(async () =>
        {
            var health = await HealthAsync(edge);
            Assert.Equal("degraded", health.Status);
            Assert.Contains(health.Reasons, reason => reason.StartsWith("no news for ", StringComparison.Ordinal));
            // The registry's watch may have been missed only after the clock was moved on.
            time.Advance(TimeSpan.FromSeconds(1));
            Assert.Contains(health.Reasons, reason => reason.StartsWith("registry: no news", StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task Edge_without_node_or_copy_does_not_start()
    {
        var time = new ManualTimeProvider();
        var key = WriteKey("gw_x");
        var starting = StartAsync(new Uri($"http://127.0.0.1:{FreePort.Next()}"), key, time);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(5));
                return starting.IsCompleted;
            },
            "it gives up");
        var fault = await Assert.ThrowsAsync<StartupException>(() => starting);
        Assert.Equal(ErrorCodes.StorageUnavailable, fault.Fault.Error);
    }

    [Fact]
    public async Task Access_key_that_others_can_read_is_refused()
    {
        var key = directory.Write("key", "gw_x");
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var fault = await Assert.ThrowsAsync<StartupException>(() => StartAsync(new Uri("http://127.0.0.1:1"), key));
        Assert.Contains("chmod 600", fault.Fault.Detail);
    }

    public void Dispose() => directory.Dispose();

    private static async Task<HealthDocument> HealthAsync(RunningNode edge)
    {
        var health = await edge.Client().GetFromJsonAsync("/health/ready", WireJson.Strict.HealthDocument);
        return health ?? throw new InvalidOperationException("The answer is null.");
    }

    private string WriteKey(string secret)
    {
        var path = directory.Write("edge.key", secret);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private Task<RunningNode> StartAsync(Uri followed, string key, TimeProvider? time = null) => RunningNode.StartAsync(
        Product.EdgeModules(),
        configuration => configuration with
        {
            NodeName = "edge",
            Follow = new FollowOptions(followed, key),
            Modules = Modules.Select([Modules.Gateway], follows: true).Value,
        },
        directory.Combine("edge"),
        time);
}

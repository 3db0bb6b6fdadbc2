using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Following;
using Groundwork.Services.Registry.Policies;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.Registry;

/// <summary>What every <see cref="IRegistryView"/> promises: the registry itself, and a follower of it.</summary>
public abstract class RegistryViewContract : IAsyncLifetime
{
    private OpenRegistry open = null!; // Opened before every test.

    private protected OpenRegistry Open => open;

    private protected abstract IRegistryView View { get; }

    public virtual async ValueTask InitializeAsync() => open = await OpenRegistry.StartAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await open.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Unknown_service_is_null() => Assert.Null(View.Find(LeasedRegistry.Key("", "nobody").Service));

    [Fact]
    public async Task Registered_instance_is_callable_with_all_that_callers_need()
    {
        await open.RegisterAsync(LeasedRegistry.Document("a") with
        {
            Scheme = "https", Weight = 7, Version = "1.2", Zone = "east", Cluster = "blue", Tags = ["x"],
            Ports = new Dictionary<string, int> { ["admin"] = 9000 },
            Metadata = new Dictionary<string, string> { ["k"] = "v" },
        });
        var instance = Assert.Single((await WhenAsync(view => view.Callable.Length == 1)).Callable);
        Assert.Equal(("a", "10.0.0.1", 8080, "https", 7), (
            instance.Key.Id, instance.Host, instance.Port, instance.Scheme, instance.Weight));
        Assert.Equal(
            ("1.2", "east", "blue", "x"), (instance.Version, instance.Zone, instance.Cluster, instance.Tags[0]));
        Assert.Equal((9000, "v"), (instance.Ports["admin"], instance.Metadata["k"]));
        Assert.Equal(HealthState.Healthy, instance.Health.State);
    }

    [Fact]
    public async Task Draining_instance_is_listed_and_not_callable()
    {
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        await open.RegisterAsync(LeasedRegistry.Document("b"));
        open.Registry.Drain(LeasedRegistry.Key("a"), "test");
        var view = await WhenAsync(view => view.Instances.Length == 2 && view.Callable.Length == 1);
        Assert.Equal("b", view.Callable[0].Key.Id);
    }

    [Fact]
    public async Task Overridden_instances_and_maintenance_are_effective_in_the_view_and_say_so()
    {
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        await open.RegisterAsync(LeasedRegistry.Document("b"));
        open.Say(InstanceOverrideKind.Kind, "default/orders/a", new InstanceOverrideSpec(Weight: 0, Reason: "slow"));
        var view = await WhenAsync(view => view.Instances.Length == 2 && view.Callable.Length == 1);
        Assert.Equal(("a", 0, "slow", 100), (
            view.Instances[0].Key.Id, view.Instances[0].Weight, view.Instances[0].Override?.Reason,
            view.Instances[0].Override?.RegisteredWeight));
        open.Say(ServicePolicyKind.Kind, "default/orders", new ServicePolicySpec(Maintenance: true, Reason: "moving"));
        view = await WhenAsync(view => view.Callable.IsEmpty);
        Assert.Equal("moving", view.Maintenance?.Reason);
        Assert.All(view.Instances, instance => Assert.Equal(InstanceStatus.OutOfService, instance.Status));
    }

    [Fact]
    public async Task Last_deregistration_empties_the_list_with_its_reason()
    {
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        await WhenAsync(view => view.Instances.Length == 1);
        open.Registry.Deregister(LeasedRegistry.Key("a"), null, "test");
        Assert.Equal("the last instance, a: deregistered", (await WhenAsync(view => view.Instances.Length == 0))
            .EmptyReason);
    }

    [Fact]
    public async Task Index_is_that_of_the_registry_and_never_goes_back()
    {
        long last = 0;
        for (var weight = 1; weight <= 50; weight++)
        {
            await open.RegisterAsync(LeasedRegistry.Document("a") with { Weight = weight });
            var index = View.Find(LeasedRegistry.Orders)?.Index ?? 0;
            Assert.True(index >= last);
            last = index;
        }
        var expected = open.Registry.FindFresh(LeasedRegistry.Orders)?.Index;
        await WhenAsync(view => view.Index == expected);
    }

    [Fact]
    public async Task Failed_calls_eject_an_instance_and_protection_keeps_the_last()
    {
        foreach (var id in new[] { "a", "b", "c" }) await open.RegisterAsync(LeasedRegistry.Document(id));
        await WhenAsync(view => view.Callable.Length == 3);
        Fail("a");
        await WhenAsync(view => view.Callable.Length == 2);
        Fail("b");
        Fail("c");
        var view = await WhenAsync(view => view.Protection);
        Assert.Equal(3, view.Callable.Length);
        Assert.NotNull(view.ProtectionReason);
    }

    [Fact]
    public async Task View_in_touch_with_its_origin_is_not_stale()
    {
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        await WhenAsync(view => view.Callable.Length == 1);
        Assert.Equal(TimeSpan.Zero, View.Staleness);
    }

    private protected async Task<ServiceView> WhenAsync(Func<ServiceView, bool> wanted)
    {
        ServiceView? found = null;
        await Eventually.TrueAsync(
            () => (found = View.Find(LeasedRegistry.Orders)) is not null && wanted(found), "the view is as wanted");
        return found!; // Not null, or the wait would have failed.
    }

    private void Fail(string id)
    {
        for (var time = 0; time < 3; time++) View.ReportOutcome(LeasedRegistry.Key(id), CallOutcome.ConnectFailed);
    }
}

public sealed class LocalViewTests : RegistryViewContract
{
    private protected override IRegistryView View => Open.Registry;
}

public sealed class FollowerTests : RegistryViewContract
{
    private readonly TemporaryDirectory directory = new();
    private HttpClient client = null!; // Made before every test.
    private RegistryFollower follower = null!; // Started before every test.

    private protected override IRegistryView View => follower;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        client = Open.Client();
        follower = await FollowAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await follower.DisposeAsync();
        client.Dispose();
        await base.DisposeAsync();
        directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Follower_serves_what_it_knows_while_the_node_is_away_and_says_how_old_it_is()
    {
        await Open.RegisterAsync(LeasedRegistry.Document("a"));
        await WhenAsync(view => view.Callable.Length == 1);
        using var now = new CancellationTokenSource(TimeSpan.Zero, TimeProvider.System);
        await Open.Listeners.StopAsync(now.Token);
        await Eventually.TrueAsync(() => follower.Staleness > TimeSpan.Zero, "the follower notices");
        Assert.Single(follower.Find(LeasedRegistry.Orders)!.Callable);
    }

    [Fact]
    public async Task Follower_that_starts_while_the_node_is_away_serves_its_copy()
    {
        await Open.RegisterAsync(LeasedRegistry.Document("a"));
        await Eventually.TrueAsync(() => File.Exists(directory.Combine("registry")), "the copy is written");
        await follower.DisposeAsync();
        using var away = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{FreePort.Next()}") };
        await using var second = new RegistryFollower(
            away, directory.Combine("registry"), TimeProvider.System, NullLogger.Instance);
        await second.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal("a", Assert.Single(second.Find(LeasedRegistry.Orders)!.Callable).Key.Id);
        Assert.True(second.Staleness > TimeSpan.Zero);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory.Combine("registry")));
    }

    [Fact]
    public async Task Drain_waits_for_a_follower()
    {
        await Open.RegisterAsync(LeasedRegistry.Document("a"));
        await Open.RegisterAsync(LeasedRegistry.Document("b"));
        await WhenAsync(view => view.Callable.Length == 2);
        using var drained = await Open.SendAsync(HttpMethod.Post, "instances/default/orders/a/drain?wait=5s");
        await WhenAsync(view => view.Callable.Length == 1);
    }

    private async Task<RegistryFollower> FollowAsync()
    {
        var started = new RegistryFollower(
            client, directory.Combine("registry"), TimeProvider.System, NullLogger.Instance);
        await started.StartAsync(TestContext.Current.CancellationToken);
        return started;
    }
}

using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols.Eureka;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.Registry.Protocols;

public sealed class EurekaDeltaTests
{
    private readonly ManualTimeProvider time = new();
    private readonly InstanceRegistry registry;
    private readonly InstanceRules rules;
    private readonly EurekaDeltas deltas;

    public EurekaDeltaTests()
    {
        registry = new InstanceRegistry(new RegistryOptions(), "a", "store", time, NullLogger.Instance);
        rules = new InstanceRules(new TextPool(), time);
        Register("before");
        deltas = new EurekaDeltas(new EurekaApplications(registry), time);
    }

    [Fact]
    public void What_was_there_before_is_no_news_and_each_instance_is_told_once()
    {
        Assert.Empty(Told());
        Register("a");
        Register("b");
        Assert.Equal(["a ADDED", "b ADDED"], Told());
        Register("a", 7);
        Assert.Equal(["a MODIFIED", "b ADDED"], Told());
        Deregister("b");
        Assert.Equal(["a MODIFIED", "b DELETED"], Told());
        // Whoever missed the deletion has the old one still.
        Register("b");
        Assert.Equal(["a MODIFIED", "b MODIFIED"], Told());
    }

    [Fact]
    public void Change_is_told_for_three_minutes()
    {
        Register("a");
        Assert.Equal(["a ADDED"], Told());
        var version = deltas.Look().Version;
        time.Advance(EurekaDeltas.Retention);
        Assert.Equal(["a ADDED"], Told());
        Assert.Equal(version, deltas.Look().Version);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(Told());
        Assert.True(deltas.Look().Version > version);
    }

    [Fact]
    public void Renewal_and_what_says_nothing_new_are_no_change()
    {
        Register("before");
        registry.Renew(LeasedRegistry.Key("before"), null);
        Assert.Empty(Told());
    }

    [Fact]
    public void Change_that_nobody_asked_about_meanwhile_is_found_later()
    {
        Deregister("before");
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(["before DELETED"], Told());
    }

    private string[] Told() =>
        [.. deltas.Look().Deltas.Select(delta => $"{delta.Instance.Key.Id} {delta.Action}")
            .Order(StringComparer.Ordinal)];

    private void Register(string id, int weight = 100) => registry.Register(
        rules.Read(LeasedRegistry.Document(id) with { Weight = weight }, "test").Value, "test");

    private void Deregister(string id) => registry.Deregister(LeasedRegistry.Key(id), null, "test");
}

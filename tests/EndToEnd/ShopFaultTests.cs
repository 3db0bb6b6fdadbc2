using System.Globalization;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// One of two catalog instances dies, is stopped, or leaves cleanly, under load through the gateway and by name through
/// the SDK. Dead instances are started again by <c>up</c> within a second or so; the load goes on over that too.
/// </summary>
[Collection(RunningShop.Collection)]
public sealed class ShopFaultTests(RunningShop shop) : IClassFixture<RunningShop>
{
    private static readonly TimeSpan BeforeFault = TimeSpan.FromSeconds(1);

    /// <summary>Requests that start later after the fault must not fail.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>Beyond time-outs, ejection and its first trial.</summary>
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(6);

    /// <summary>The head time-out: whatever takes as long has waited for an instance that did not answer.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(3);

    // Reads are all that the shop lets through to the catalog.
    private const string WritesToo = """
        kind: route
        name: catalog-writes
        spec: { hosts: ["*"], path: /api/catalog/**, service: catalog, methods: [POST] }
        """;

    private readonly int perSecond = LongRun.Count(usual: 50, whole: 100);

    [Fact]
    public async Task Clean_stop_of_an_instance_fails_no_request()
    {
        var load = await RunAsync(Signals.Terminate, AfterFault - TimeSpan.FromSeconds(1));
        Assert.Empty(Failures(load));
        // It waited until everybody had been told, and nobody was left behind.
        Assert.Contains(" 0 watchers had not been sent it", shop.Up.Output, StringComparison.Ordinal);
        Assert.Contains("Left the registry: catalog-", shop.Up.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_instance_fails_no_request_that_starts_2_s_later() =>
        Assert.Empty(Failures(await RunAsync(Signals.Kill, AfterFault), after: BeforeFault + Grace));

    [Fact]
    public async Task Stopped_instance_fails_no_request_that_starts_2_s_later_and_few_wait_for_it()
    {
        var load = await RunAsync(Signals.Stop, AfterFault);
        Assert.Empty(Failures(load, after: BeforeFault + Grace));
        // One request at a time finds out whether it answers, when it is silent and after its ejection; all others go
        // elsewhere.
        foreach (var sort in new[] { ShopLoad.Sort.Read, ShopLoad.Sort.Order })
            Assert.InRange(
                load.Count(one => one.Sort == sort && one.At > BeforeFault + Grace && one.Took >= Slow), 0, 2);
    }

    private static IEnumerable<string> Failures(
        IReadOnlyCollection<ShopLoad.Sample> load, TimeSpan after = default) => load
        .Where(one => one.Fault is not null && one.At >= after)
        .OrderBy(one => one.At)
        .Select(one => string.Create(
            CultureInfo.InvariantCulture,
            $"{one.Sort} {(one.At - BeforeFault).TotalSeconds:+0.00;-0.00} s, {one.Took.TotalSeconds:0.00} s long: "
            + $"{one.Fault}"));

    private async Task<IReadOnlyCollection<ShopLoad.Sample>> RunAsync(int signal, TimeSpan length)
    {
        await shop.IsWholeAsync();
        await shop.ApplyAsync(WritesToo);
        using var load = new ShopLoad(shop.Gateway, await shop.ProductIdsAsync(), perSecond);
        var running = load.RunAsync(BeforeFault + length);
        await Task.Delay(BeforeFault, TimeProvider.System);
        var victim = shop.CatalogPids()[0];
        GroundworkProcess.Signal(victim, signal);
        var at = load.Elapsed;
        await running;
        Report(signal, load.Samples, at, shop.CatalogPids().Contains(victim) ? "the same process" : "started again");
        // What callers said of it would keep it out for half a minute; the process that up starts instead is a new one.
        if (signal == Signals.Stop) GroundworkProcess.Signal(victim, Signals.Kill);
        Assert.InRange(at, BeforeFault / 2, BeforeFault + Grace); // Timers may be a little early.
        Assert.InRange(load.Samples.Count, perSecond * (int)length.TotalSeconds, int.MaxValue);
        return load.Samples;
    }

    private static void Report(int signal, IReadOnlyCollection<ShopLoad.Sample> load, TimeSpan fault, string after)
    {
        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine($"signal {signal}: {load.Count} requests; afterwards the instance is {after}");
        foreach (var sort in Enum.GetValues<ShopLoad.Sort>())
        {
            var (soon, later) = (
                load.Where(one => one.Sort == sort && one.At < fault + Grace).ToList(),
                load.Where(one => one.Sort == sort && one.At >= fault + Grace).ToList());
            output?.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {sort}: failed {Failed(soon)} of {soon.Count} up to 2 s after the fault, {Failed(later)} of "
                + $"{later.Count} later; slowest {Slowest(soon):0} and {Slowest(later):0} ms; later over 3 s: "
                + $"{later.Count(one => one.Took >= Slow)}"));
        }
    }

    private static int Failed(IEnumerable<ShopLoad.Sample> load) => load.Count(one => one.Fault is not null);

    private static double Slowest(IEnumerable<ShopLoad.Sample> load) => load.Max(one => one.Took).TotalMilliseconds;
}

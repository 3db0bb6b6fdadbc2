using System.Globalization;
using System.Net.Http.Json;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Leases;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.Registry;

/// <summary>
/// The promised sizes, and what a call may allocate: these hold on any machine. Rates are in the output, and are judged
/// in bench/ only.
/// </summary>
[Collection(nameof(FigureTests))]
[CollectionDefinition(nameof(FigureTests), DisableParallelization = true)]
public sealed class FigureTests
{
    private const int Instances = 200_000;
    private const int Large = 20_000;
    private const int PerService = 10;

    /// <summary>Enough to tell whether a call allocates; the long run takes them all.</summary>
    private static int Fewer => LongRun.Count(Large, Instances);

    [Fact]
    public void Two_hundred_thousand_instances_take_a_kilobyte_each_at_most()
    {
        // What the rest of the process lets go of or takes meanwhile is in the figure: the middle of three counts.
        var bytes = Enumerable.Range(0, 3).Select(_ => BytesOfEach()).Order().ElementAt(1);
        Write($"{bytes} bytes per instance, with 4 entries of metadata and its id, key and first event");
        Assert.InRange(bytes, 1, 1024);
    }

    private static long BytesOfEach()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var registry = Fill(Instances, out var keys, TimeProvider.System);
        _ = registry.Pending.Take(); // Written by the store's loop; not kept.
        _ = registry.Pending.TakeEvents();
        var bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / Instances;
        GC.KeepAlive(registry);
        GC.KeepAlive(keys);
        return bytes;
    }

    [Fact]
    public void A_renewal_allocates_nothing()
    {
        var registry = Fill(Fewer, out var keys, TimeProvider.System);
        new Random(7).Shuffle(keys);
        foreach (var key in keys) registry.Renew(key, 1); // Warm.
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var started = TimeProvider.System.GetTimestamp();
        var refused = 0;
        for (var times = 0; times < 5; times++)
            foreach (var key in keys)
                if (registry.Renew(key, 1) is not null) refused++;
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var bytes = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Write($"{5 * keys.Length / seconds:0} renewals/s on one thread, {bytes} bytes allocated in all");
        Assert.Equal(0, refused);
        Assert.InRange(bytes, 0, 1024);
    }

    [Fact]
    public void Registering_into_a_service_of_twenty_thousand_does_not_copy_it()
    {
        var registry = Fill(Large, out _, TimeProvider.System);
        var large = LeasedRegistry.Key("", "large").Service;
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var started = TimeProvider.System.GetTimestamp();
        const int Times = 5000;
        for (var at = 0; at < Times; at++)
        {
            var key = new InstanceKey(large, $"i{at}");
            registry.Deregister(key, null, "test");
            Assert.True(registry.Register(new Instance(key, "10.0.0.1", 80) { Incarnation = 1 }, "test").Succeeded);
        }
        var micros = TimeProvider.System.GetElapsedTime(started).TotalMicroseconds / Times;
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - allocated) / Times;
        Write($"{micros:0.0} µs and {bytes} bytes for a deregistration and a registration in a service of {Large}");
        Assert.InRange(bytes, 0, 8 * 1024); // The list alone would be 160 KB.
        var publishing = new List<double>();
        for (var times = 0; times < 50; times++)
        {
            registry.Deregister(new InstanceKey(large, $"i{6000 + times}"), null, "test");
            started = TimeProvider.System.GetTimestamp();
            Assert.Equal(Large - times - 1, registry.FindFresh(large)?.Instances.Length);
            publishing.Add(TimeProvider.System.GetElapsedTime(started).TotalMicroseconds);
        }
        Write($"{publishing.Order().ElementAt(25):0} µs to publish its view");
    }

    [Fact]
    public void A_tick_over_renewing_instances_ends_none()
    {
        var time = new ManualTimeProvider();
        var registry = Fill(Fewer, out var keys, time);
        var expiry = new LeaseExpiry(registry, time, () => new HashSet<string> { "a" }, NullLogger.Instance);
        var (longest, total, ticks) = (TimeSpan.Zero, TimeSpan.Zero, 0);
        for (var second = 0.0; second < 60; second += TimerWheel.SlotWidth.TotalSeconds)
        {
            if (ticks % 25 == 0)
                foreach (var key in keys) registry.Renew(key, 1);
            time.Advance(TimerWheel.SlotWidth);
            var started = TimeProvider.System.GetTimestamp();
            expiry.Tick();
            var took = TimeProvider.System.GetElapsedTime(started);
            (longest, total, ticks) = (took > longest ? took : longest, total + took, ticks + 1);
        }
        var mean = total.TotalMilliseconds / ticks;
        Write($"a tick: {mean:0.000} ms on average, {longest.TotalMilliseconds:0.0} ms at most");
        Assert.Equal(keys.Length, registry.InstanceCount);
    }

    [Fact]
    public async Task Renewals_over_http_in_batches()
    {
        await using var open = await OpenRegistry.StartAsync();
        const int Batch = 100;
        for (var at = 0; at < 16 * Batch; at++)
            open.Registry.Register(
                new Instance(LeasedRegistry.Key($"i{at}", $"s{at / PerService}"), "10.0.0.1", 80)
                {
                    Incarnation = 1,
                },
                "test");
        using var client = open.Client();
        var batches = LongRun.Count(50, 1000);
        var started = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async worker =>
        {
            var renewals = Enumerable.Range(worker * Batch, Batch)
                .Select(at => new RenewalDocument($"s{at / PerService}", $"i{at}")).ToArray();
            for (var times = 0; times < batches; times++)
            {
                using var answer = await client.PutAsJsonAsync(
                    "/groundwork/v1/registry/renewals", new RenewalBatch(renewals), WireJson.Strict.RenewalBatch);
                var counted = await answer.Content.ReadFromJsonAsync(WireJson.Strict.RenewalAnswer);
                Assert.Equal(Batch, counted?.Renewed);
            }
        }));
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var rate = 16 * batches * Batch / seconds;
        Write($"{rate:0} renewals/s over HTTP, {Batch} a call, generator in the same process");
    }

    private static InstanceRegistry Fill(int instances, out InstanceKey[] keys, TimeProvider time)
    {
        var registry = new InstanceRegistry(
            new RegistryOptions(), "a", "store", time, NullLogger.Instance);
        var rules = new InstanceRules(new TextPool(), time);
        keys = new InstanceKey[instances];
        for (var at = 0; at < instances; at++)
        {
            var service = at < Large ? "large" : $"service-{(at - Large) / PerService}";
            var host = string.Create(CultureInfo.InvariantCulture, $"10.{at >> 16}.{(at >> 8) & 255}.{at & 255}");
            var wanted = rules.Read(
                new InstanceDocument(service, host, 8080, Incarnation: 1, Zone: "east", Version: "1.2.3")
                {
                    Metadata = new Dictionary<string, string>
                    {
                        ["team"] = "orders", ["build"] = $"{at % 100}", ["protocol"] = "http", ["canary"] = "false",
                    },
                    Id = at < Large ? $"i{at}" : null,
                },
                "groundwork, client/1.0, key:shop");
            registry.Register(wanted.Value, "key:shop");
            keys[at] = wanted.Value.Key;
        }
        return registry;
    }

    private static void Write(FormattableString text) =>
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant(text));
}

using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Resilience;

/// <summary>
/// Twice what a service can do, for a while: it works on five at a time, and what comes beyond waits in it. Useful is
/// an answer within half a second. Runs alone: it measures time.
/// </summary>
[CollectionDefinition(nameof(OverloadTests), DisableParallelization = true)]
[Collection(nameof(OverloadTests))]
public sealed class OverloadTests
{
    private const int AtOnce = 5;

    /// <summary>Bytes by which the process may grow from the first fifth of a long run to its last.</summary>
    private const long MaxResidentGrowth = 32 * 1024 * 1024;

    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan Useful = TimeSpan.FromMilliseconds(500);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task At_twice_the_capacity_an_upstream_that_adapts_keeps_its_goodput_and_memory_stays_flat()
    {
        var seconds = LongRun.Count(usual: 5, whole: 60);
        var (protectedShare, grown) = await RunAsync(
            new UpstreamResilience(Bulkhead: new BulkheadSpec(100, 5, 100), Adaptive: new AdaptiveSpec(5, 2, 100)),
            seconds);
        var (bareShare, _) = await RunAsync(new UpstreamResilience(), 5);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"goodput {protectedShare:P0} of the capacity in {seconds} s, {grown / 1024} KiB grown; "
            + $"bare {bareShare:P0}");
        // In a short run a machine that pauses for half a second weighs as much as a tenth.
        Assert.InRange(protectedShare, LongRun.Asked ? 0.8 : 0.6, 1.5);
        Assert.InRange(grown, long.MinValue, 8 * 1024 * 1024);
        Assert.InRange(bareShare, 0, 0.6); // What is measured is what the protection does.
    }

    // The share of the capacity that was useful, and the bytes by which memory grew.
    private static async Task<(double Share, long Grown)> RunAsync(UpstreamResilience resilience, int seconds)
    {
        using var working = new SemaphoreSlim(AtOnce);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            await working.WaitAsync(context.RequestAborted);
            try
            {
                await Task.Delay(Work, TimeProvider.System, context.RequestAborted);
            }
            finally
            {
                working.Release();
            }
            await context.Response.WriteAsync("ok");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Keeps = false;
        edge.Snapshots.Put(TestUpstreams.Resource("up", new UpstreamSpec(
            Addresses: [new($"{instance.Address}")], AllowLoopback: true, Resilience: resilience)));
        edge.RouteAll(route => route with { Service = null, Upstream = "up" });
        var capacity = await CapacityAsync(instance.Address);
        TestContext.Current.TestOutputHelper?.WriteLine($"{capacity:F1} answers a second when it is full");
        await LoadAsync(edge, capacity * 2, 1); // What is usual, pools and buffers.
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var resident = new List<long>();
        var useful = await LoadAsync(edge, capacity * 2, seconds, resident);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"MB resident, each fifth of {seconds} s: {string.Join(' ', resident.Chunk(Math.Max(1, seconds / 5)).Select(
                some => some[^1] >> 20))}; at most {resident.DefaultIfEmpty().Max() >> 20}");
        // Of the whole process, clients and instance with it; the first fifth is what pools and the heap grow to.
        if (resident.Count >= 10)
            Assert.InRange(
                resident.Skip(resident.Count * 4 / 5).Max() - resident.Take(resident.Count / 5).Max(), long.MinValue,
                MaxResidentGrowth);
        return (useful / (capacity * seconds), GC.GetTotalMemory(forceFullCollection: true) - before);
    }

    // Of the service itself, with nothing before it that refuses. Somebody always waits in it: with only as many as it
    // works on it would idle while they come back.
    private static async Task<double> CapacityAsync(IPEndPoint service)
    {
        const int each = 30;
        const int askers = AtOnce * 3;
        using var client = new HttpClient { BaseAddress = new Uri($"http://{service}") };
        await client.GetStringAsync("/", Cancel);
        var began = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, askers).Select(async _ =>
        {
            for (var request = 0; request < each; request++) await client.GetStringAsync("/", Cancel);
        }));
        return askers * each / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
    }

    // At an even rate, whether answers come or not; how many were useful.
    private static async Task<int> LoadAsync(TestEdge edge, double rate, int seconds, List<long>? resident = null)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        var asked = new List<Task<bool>>();
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) is var passed && passed.TotalSeconds < seconds)
        {
            while (asked.Count < rate * passed.TotalSeconds) asked.Add(AskAsync(edge));
            if (resident?.Count < (int)passed.TotalSeconds) resident.Add(Environment.WorkingSet);
            await pace.WaitForNextTickAsync(Cancel);
        }
        return (await Task.WhenAll(asked)).Count(useful => useful);
    }

    private static async Task<bool> AskAsync(TestEdge edge)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var answer = await edge.Client.GetAsync("/", Cancel);
        return answer.IsSuccessStatusCode && TimeProvider.System.GetElapsedTime(began) <= Useful;
    }
}

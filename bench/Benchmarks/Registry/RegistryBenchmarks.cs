using BenchmarkDotNet.Attributes;
using Groundwork.Services.Registry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Benchmarks.Registry;

/// <summary>
/// The calls that instances and callers make all day, with 200,000 instances of which 20,000 are one service's.
/// </summary>
[MemoryDiagnoser]
public class RegistryBenchmarks
{
    private const int Large = 20_000;
    private const int Others = 180_000;
    private const int PerService = 10;

    private readonly InstanceRegistry registry = new(
        new RegistryOptions(), "bench", "store", TimeProvider.System, NullLogger.Instance);

    private InstanceKey[] keys = [];
    private int next;

    [GlobalSetup]
    public void Register()
    {
        keys = new InstanceKey[Large + Others];
        for (var at = 0; at < keys.Length; at++)
        {
            var service = at < Large ? "large" : $"service-{(at - Large) / PerService}";
            keys[at] = new InstanceKey(new ServiceKey("default", ServiceKey.DefaultGroup, service), $"instance-{at}");
            registry.Register(new Instance(keys[at], "10.0.0.1", 8080) { Incarnation = 1 }, "bench");
        }
        new Random(7).Shuffle(keys);
    }

    [Benchmark]
    public object? Renew() => registry.Renew(Next(), 1);

    [Benchmark]
    public object? Find() => registry.Find(Next().Service);

    [Benchmark]
    public void ReportAnswered() => registry.ReportOutcome(Next(), CallOutcome.Answered);

    [Benchmark]
    public object? DeregisterAndRegisterInTheLargeService()
    {
        var key = new InstanceKey(new ServiceKey("default", ServiceKey.DefaultGroup, "large"), "instance-777");
        registry.Deregister(key, null, "bench");
        return registry.Register(new Instance(key, "10.0.0.1", 8080) { Incarnation = 1 }, "bench").Succeeded;
    }

    private InstanceKey Next() => keys[next = (next + 1) % keys.Length];
}

using System.Collections.Frozen;
using System.Collections.Immutable;
using BenchmarkDotNet.Attributes;
using Groundwork.Client;
using Groundwork.Client.Flags;
using Groundwork.Client.Receipts;
using Groundwork.Client.Settings;
using Microsoft.Extensions.Configuration;

namespace Groundwork.Benchmarks.Client;

/// <summary>
/// What a service pays for a read of its settings in memory, 1,000 keys of one setting: the snapshot itself, beside the
/// same through the host's whole configuration, and a flag.
/// </summary>
[MemoryDiagnoser]
public class SettingsReadBenchmarks
{
    private const string Key = "Section:500:Name";

    private readonly SettingsProvider provider = new();
    private IConfiguration configuration = new ConfigurationBuilder().Build();
    private GroundworkFlags flags = new(new FlagTable(), ImmutableSortedDictionary<string, string>.Empty);

    [GlobalSetup]
    public void Fill()
    {
        var origin = new SettingOrigin("orders/main");
        provider.Publish(new SettingValues(
            "store", 1,
            Enumerable.Range(0, 1000).Select(number => $"Section:{number}:Name").ToFrozenDictionary(
                key => key, key => new SettingValue(key, "value", origin), StringComparer.OrdinalIgnoreCase),
            ImmutableDictionary<string, SettingVersion>.Empty));
        configuration = new ConfigurationBuilder().Add(provider).Build();
        var table = new FlagTable();
        table.Publish(FlagDocument.Read(
            """{"flags":{"new-checkout":{"rules":[{"name":"half","percent":50,"serve":"on"}]}}}""",
            new FlagExposures()).ToDictionary(flag => flag.Name));
        flags = new GroundworkFlags(table, ImmutableSortedDictionary<string, string>.Empty);
    }

    [Benchmark(Baseline = true)]
    public string? Snapshot() => provider.TryGet(Key, out var value) ? value : null;

    [Benchmark]
    public string? Configuration() => configuration[Key];

    [Benchmark]
    public bool FlagOfAPercentage() => flags.IsOn("new-checkout", "user-17");
}

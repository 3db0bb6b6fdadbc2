using System.Collections.Frozen;
using BenchmarkDotNet.Attributes;
using Groundwork.Client.Settings;
using Microsoft.Extensions.Configuration;

namespace Groundwork.Benchmarks.Client;

/// <summary>
/// A value out of a thousand settings: from the snapshot, and through the host's configuration above it.
/// </summary>
[MemoryDiagnoser]
public class SettingReadBenchmarks
{
    private const string Key = "Storefront:Section500:DiscountPercent";

    private readonly SettingsProvider provider = new();
    private IConfiguration configuration = new ConfigurationBuilder().Build();

    [GlobalSetup]
    public void Publish()
    {
        var origin = new SettingOrigin("bench/storefront");
        provider.Publish(SettingValues.None with
        {
            StoreId = "bench",
            Revision = 1,
            Values = Enumerable.Range(0, 1000)
                .Select(number => (Key: $"Storefront:Section{number}:DiscountPercent", Text: $"{number}"))
                .ToFrozenDictionary(
                    value => value.Key, value => new SettingValue(value.Key, value.Text, origin),
                    StringComparer.OrdinalIgnoreCase),
        });
        configuration = new ConfigurationBuilder().Add(provider).Build();
    }

    [Benchmark]
    public string? Snapshot() => provider.TryGet(Key, out var value) ? value : null;

    [Benchmark]
    public string? Configuration() => configuration[Key];
}

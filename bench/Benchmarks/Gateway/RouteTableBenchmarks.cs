using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Resources;

namespace Groundwork.Benchmarks.Gateway;

/// <summary>One search of the table of routes, and one change of it, with ten routes and with ten thousand.</summary>
[MemoryDiagnoser]
public class RouteTableBenchmarks
{
    private readonly NoFields fields = new();
    private RouteTable table = RouteTable.Empty;
    private Route changed = Make(0);
    private byte[] path = [];

    [Params(10, 10_000)]
    public int Routes { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        table = RouteTable.Empty.With([], [.. Enumerable.Range(0, Routes).Select(Make)]);
        changed = Make(Routes / 2);
        path = System.Text.Encoding.ASCII.GetBytes($"/service-{Routes / 2}/orders/7");
    }

    [Benchmark]
    public bool Match() => table.Match(new RequestView
    {
        Host = "shop.example.com"u8,
        Path = path,
        Method = "GET"u8,
        Query = default,
        Fields = fields,
        Client = IPAddress.Loopback,
        Time = DateTimeOffset.UnixEpoch,
    }).Route is not null;

    [Benchmark]
    public int Change() => table.With([], [changed]).Count;

    private static Route Make(int number)
    {
        var spec = new RouteSpec(new MatchSpec(["shop.example.com"], $"/service-{number}/**"), "service");
        var resource = new Resource
        {
            Key = new ResourceKey(RouteKind.Name, "default", $"r{number}"),
            Version = 2,
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            Spec = JsonSerializer.SerializeToUtf8Bytes(spec, RouteKind.Kind.SpecTypeInfo),
            SpecHash = default,
            Revision = 1,
            ChangedBy = "system:bench",
            ChangedAt = DateTimeOffset.UnixEpoch,
            Kind = RouteKind.Kind,
        };
        return Route.TryCompile(resource, StepCompiler.Empty, out var route, out var reason)
            ? route
            : throw new InvalidOperationException(reason);
    }

    private sealed class NoFields : IRequestFields
    {
        public bool TryGetNext(scoped ReadOnlySpan<byte> name, scoped ref int from, out ReadOnlySpan<byte> value)
        {
            value = default;
            return false;
        }
    }
}

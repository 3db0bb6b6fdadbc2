using BenchmarkDotNet.Attributes;

namespace Groundwork.Benchmarks.Client;

/// <summary>
/// A call of a service by its name beside a bare <see cref="HttpClient"/>, both over a handler that answers from
/// memory: the difference is what the SDK costs. Once with the usual policy, and once with every step of one.
/// </summary>
[MemoryDiagnoser]
public class ResolvedCallBenchmarks
{
    private const int Instances = 10;

    private readonly HeldHandler bareHandler = new();
    private readonly HeldHandler usualHandler = new();
    private readonly HeldHandler fullHandler = new();
    private HttpClient bare = new();
    private HttpClient usual = new();
    private HttpClient full = new();

    [GlobalSetup]
    public async Task ConnectAsync()
    {
        bare = new HttpClient(bareHandler);
        usual = new HttpClient((await PartsAsync()).Handler(usualHandler));
        var steps = await PartsAsync(
            ("*:Breaker:FailureRatio", "0.5"), ("*:Bulkhead:MaxConcurrent", "100"), ("*:TotalTimeout", "5s"),
            ("*:Retry:Statuses", "503"));
        full = new HttpClient(steps.Handler(fullHandler));
    }

    [Benchmark(Baseline = true)]
    public string Bare() => Call(bare, bareHandler, "http://10.0.0.1:8080/products/7");

    [Benchmark]
    public string ByName() => Call(usual, usualHandler, "http://catalog/products/7");

    [Benchmark]
    public string ByNameWithEveryStep() => Call(full, fullHandler, "http://catalog/products/7");

    private static Task<SdkParts> PartsAsync(params (string, string)[] policies) => new SdkParts(
        [("catalog", Enumerable.Range(1, Instances).Select(number => ($"10.0.0.{number}", 8080)))], policies)
        .FindAsync("catalog");

    private static string Call(HttpClient client, HeldHandler handler, string address)
    {
        var call = client.GetStringAsync(address);
        handler.Release();
        return call.GetAwaiter().GetResult();
    }
}

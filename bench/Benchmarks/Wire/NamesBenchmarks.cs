using System.Text.RegularExpressions;
using BenchmarkDotNet.Attributes;
using Groundwork.Wire;

namespace Groundwork.Benchmarks.Wire;

/// <summary>The check of a name, which every call that names a resource runs, beside the obvious expression.</summary>
[MemoryDiagnoser]
public partial class NamesBenchmarks
{
    private const string Name = "payments/service-17/10.20.30.40:8080";

    [Benchmark]
    public bool Loop() => Names.IsName(Name);

    [Benchmark(Baseline = true)]
    public bool Expression() => Pattern().IsMatch(Name);

    [GeneratedRegex(
        @"^(?=.{1,512}$)(?!\.{1,2}(/|$))[A-Za-z0-9._:@-]{1,128}(/(?!\.{1,2}(/|$))[A-Za-z0-9._:@-]{1,128})*\z",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Pattern();
}

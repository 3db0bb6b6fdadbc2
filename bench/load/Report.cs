using System.Globalization;
using System.Runtime.InteropServices;

namespace Groundwork.Load;

/// <summary>Writes the medians as a table that can be pasted into a page.</summary>
internal static class Report
{
    public static void Write(
        TextWriter output, Scenario scenario, LoadOptions options, IReadOnlyDictionary<string,
            IReadOnlyList<Sample>> results)
    {
        output.WriteLine($"## {scenario.Name}: {scenario.Question}");
        output.WriteLine();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, "
            + $"{RuntimeInformation.FrameworkDescription}; "
            + $"{options.Workers} workers, median of {options.Rounds} × {options.Seconds} s, contenders in turn."));
        output.WriteLine();
        output.WriteLine(
            "| contender | operations/s | to the last | server CPU µs/op | generator CPU µs/op | generator bytes/op "
            + "| p50 ms | p99 ms | p99.9 ms |" + (scenario.Figure is { } figure ? $" {figure} |" : ""));
        output.WriteLine("|---|---|---|---|---|---|---|---|---|" + (scenario.Figure is null ? "" : "---|"));
        var contenders = Runner.Chosen(scenario, options);
        var peer = Median(results[contenders[^1].Name], sample => sample.PerSecond);
        foreach (var contender in contenders)
        {
            var samples = results[contender.Name];
            var perSecond = Median(samples, sample => sample.PerSecond);
            var server = samples.All(sample => sample.ServerMicros is not null)
                ? Number(Median(samples, sample => sample.ServerMicros.GetValueOrDefault()))
                : "in the generator's";
            output.WriteLine(
                $"| {contender.Name} | {Number(perSecond)} | {Ratio(perSecond / peer)} "
                + $"| {server} | {Number(Median(samples, sample => sample.GeneratorMicros))} "
                + $"| {Number(Median(samples, sample => sample.BytesPerOperation))} "
                + $"| {Millis(samples, 0.5)} | {Millis(samples, 0.99)} | {Millis(samples, 0.999)} |"
                + (scenario.Figure is null ? "" : $" {Number(Median(samples, sample => sample.Figure ?? 0))} |"));
        }
    }

    /// <summary>The middle value; of an even number, the mean of the two in the middle.</summary>
    internal static double Median(IEnumerable<Sample> samples, Func<Sample, double> value)
    {
        var sorted = samples.Select(value).Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static string Millis(IReadOnlyList<Sample> samples, double part) =>
        Median(samples, sample => sample.Latencies.Percentile(part).TotalMilliseconds)
            .ToString("0.00", CultureInfo.InvariantCulture);

    private static string Ratio(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    private static string Number(double value) =>
        value.ToString(value >= 100 ? "#,0" : "0.0", CultureInfo.InvariantCulture);
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Groundwork.Load;

/// <summary>How long and how hard to run.</summary>
/// <param name="Rounds">Each contender runs so often, in turn with the others; the median is reported.</param>
/// <param name="Seconds">Of each measured run.</param>
/// <param name="Workers">Operations under way at once.</param>
/// <param name="WarmUpSeconds">Before each; 0: a fifth of the run, at least one second.</param>
/// <param name="Only">Number of the only contender to run, from 1; 0: all.</param>
internal sealed record LoadOptions(
    int Rounds = 5, int Seconds = 5, int Workers = 64, int WarmUpSeconds = 0, int Only = 0)
{
    private const int MaxRounds = 100;
    private const int MaxSeconds = 3600;
    private const int MaxContenders = 20;
    private const string Names = "rounds, seconds, workers, warmup, only";
    private const int MaxWorkers = 10_000;

    public TimeSpan WarmUp => TimeSpan.FromSeconds(
        WarmUpSeconds > 0 ? WarmUpSeconds : Math.Max(1, Seconds / 5.0));

    public TimeSpan Measured => TimeSpan.FromSeconds(Seconds);

    /// <summary>Reads <c>name=number</c> arguments.</summary>
    public static bool TryParse(
        ReadOnlySpan<string> arguments, [NotNullWhen(
            true)] out LoadOptions? options, [NotNullWhen(false)] out string? fault)
    {
        var read = new LoadOptions();
        foreach (var argument in arguments)
        {
            var parts = argument.Split('=');
            if (parts.Length != 2
                || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return Refuse($"{argument} is not of the form name=number", out options, out fault);
            (read, var limit) = parts[0] switch
            {
                "rounds" => (read with { Rounds = number }, MaxRounds),
                "seconds" => (read with { Seconds = number }, MaxSeconds),
                "workers" => (read with { Workers = number }, MaxWorkers),
                "warmup" => (read with { WarmUpSeconds = number }, MaxSeconds),
                "only" => (read with { Only = number }, MaxContenders),
                _ => (read, 0),
            };
            if (limit == 0) return Refuse($"{parts[0]} is not one of {Names}", out options, out fault);
            if (number < 1 || number > limit)
                return Refuse($"{parts[0]} is between 1 and {limit}", out options, out fault);
        }
        (options, fault) = (read, null);
        return true;
    }

    private static bool Refuse(string why, out LoadOptions? options, out string? fault)
    {
        (options, fault) = (null, why);
        return false;
    }
}

using System.Globalization;

namespace Groundwork.Tests.Support;

/// <summary>
/// How much of a repeating test to run, and from which seed. The suite runs a short, repeatable form;
/// <c>TESTS_LONG=1</c>
/// runs the whole, <c>TESTS_COUNT=n</c> exactly so many, <c>TESTS_SEED=n</c> from another seed.
/// </summary>
public static class LongRun
{
    public const string LongVariable = "TESTS_LONG";
    public const string CountVariable = "TESTS_COUNT";
    public const string SeedVariable = "TESTS_SEED";

    /// <summary>
    /// The seed of the short form: always the same, so that a failure is the change's and not the day's.
    /// </summary>
    private const int UsualSeed = 20_260_101;

    /// <summary>True when the whole is asked for.</summary>
    public static bool Asked => Environment.GetEnvironmentVariable(LongVariable) == "1";

    /// <summary>How many rounds: <paramref name="usual"/>, or <paramref name="whole"/> in a long run.</summary>
    public static int Count(int usual, int whole) => Number(CountVariable) ?? (Asked ? whole : usual);

    /// <summary>Random numbers from the run's seed, which the test's output names.</summary>
    public static Random Random()
    {
        var seed = Number(SeedVariable) ?? UsualSeed;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{SeedVariable}={seed.ToString(CultureInfo.InvariantCulture)}");
        return new Random(seed);
    }

    private static int? Number(string variable)
    {
        var text = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(text)) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new InvalidOperationException($"{variable} is not a whole number: {text}");
    }
}

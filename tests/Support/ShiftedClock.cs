namespace Groundwork.Tests.Support;

/// <summary>
/// Sets the wall clock of one process off while it runs, by libfaketime. Its monotonic clock goes on, as on a machine
/// whose time is corrected.
/// </summary>
public sealed class ShiftedClock : IDisposable
{
    private const string Package = "faketime";
    private const string Library = "libfaketimeMT.so.1";

    private readonly TemporaryDirectory directory = new();

    private ShiftedClock(string library)
    {
        Environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["LD_PRELOAD"] = library,
            ["FAKETIME_TIMESTAMP_FILE"] = File,
            ["FAKETIME_CACHE_DURATION"] = "1", // Seconds: the process sees a shift within one.
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            ["DONT_FAKE_MONOTONIC"] = "1", // The same to older versions.
            // Without it every timed wait of .NET, which is by the monotonic clock, would end at once.
            ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
        };
        Shift(TimeSpan.Zero);
    }

    /// <summary>What the process must be started with.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    private string File => directory.Combine("shift");

    /// <summary>Finds the library, or ends the test as <see cref="Tools.Require"/> does.</summary>
    public static ShiftedClock Require()
    {
        Tools.Require("faketime", Package);
        var library = new[] { "/usr/lib", "/usr/lib64", "/usr/local/lib" }
            .Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories)
            .SelectMany(folder => new[] { folder, Path.Combine(folder, "faketime") })
            .Select(folder => Path.Combine(folder, Library))
            .FirstOrDefault(System.IO.File.Exists);
        if (library is null) Tools.Unavailable($"{Library} is not installed (Debian: {Package})");
        return new ShiftedClock(library!); // Unavailable does not return.
    }

    /// <summary>
    /// Sets the process's clock off by so much from the machine's; the process sees it within a second.
    /// </summary>
    public void Shift(TimeSpan by)
    {
        // Swapped whole: the process reads it at any moment.
        var next = File + ".next";
        System.IO.File.WriteAllText(next, FormattableString.Invariant($"{(long)by.TotalSeconds:+0;-0;+0}\n"));
        System.IO.File.Move(next, File, overwrite: true);
    }

    public void Dispose() => directory.Dispose();
}

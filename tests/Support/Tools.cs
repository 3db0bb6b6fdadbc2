namespace Groundwork.Tests.Support;

/// <summary>
/// Real servers and clients that a test needs beside the .NET SDK. Without one the test is skipped with the reason;
/// where all must be there (<c>TESTS_REQUIRE_TOOLS=1</c>, as <c>.ci/run</c> sets) it fails.
/// </summary>
public static class Tools
{
    /// <summary>Set to 1 where a missing program is a failure.</summary>
    public const string RequireVariable = "TESTS_REQUIRE_TOOLS";

    private const string PostgresRoot = "/usr/lib/postgresql";

    /// <summary>The program's path, or the test ends here: skipped, or failed where tools are required.</summary>
    /// <param name="package">The Debian package that brings it.</param>
    public static string Require(string program, string package)
    {
        var path = Find(program);
        if (path is null) Unavailable($"{program} is not installed (Debian: {package})");
        return path!; // Unavailable does not return.
    }

    /// <summary>
    /// Ends the test because the machine lacks something: skipped, or failed where tools are required.
    /// </summary>
    public static void Unavailable(string reason)
    {
        if (Environment.GetEnvironmentVariable(RequireVariable) == "1")
            Assert.Fail($"{reason}, and {RequireVariable}=1 demands it.");
        Assert.Skip(reason);
    }

    /// <summary>
    /// The program's path on the PATH or among PostgreSQL's, which Debian keeps off the PATH; else null.
    /// </summary>
    public static string? Find(string program) => Find(program, SearchPath());

    internal static string? Find(string program, IEnumerable<string> directories) => directories
        .Select(directory => Path.Combine(directory, program))
        .FirstOrDefault(IsExecutable);

    private static IEnumerable<string> SearchPath()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        foreach (var directory in path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            yield return directory;
        yield return "/usr/sbin";
        if (!Directory.Exists(PostgresRoot)) yield break;
        // The newest first: its directory is the version's number.
        foreach (var version in Directory.GetDirectories(PostgresRoot)
            .OrderByDescending(directory => int.TryParse(Path.GetFileName(directory), out var number) ? number : 0))
            yield return Path.Combine(version, "bin");
    }

    private static bool IsExecutable(string path) => File.Exists(path)
        && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & AnyExecute) != UnixFileMode.None);

    private const UnixFileMode AnyExecute =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
}

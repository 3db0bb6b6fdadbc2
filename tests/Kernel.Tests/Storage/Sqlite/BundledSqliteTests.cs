using Groundwork.Kernel.Storage.Sqlite;

namespace Groundwork.Kernel.Tests.Storage.Sqlite;

public sealed class BundledSqliteTests
{
    /// <summary>A process has one SQLite, so the other library has the suite in a process of its own.</summary>
    [Fact]
    public async Task The_suite_passes_on_the_bundled_library_too()
    {
        if (Environment.GetEnvironmentVariable(SqliteLibrary.Variable) is not null)
            Assert.Skip("This run has chosen its library already.");
        var (exitCode, output) = await SelfProcess.RunAsync(
            new Dictionary<string, string>(StringComparer.Ordinal) { [SqliteLibrary.Variable] = "bundled" },
            [SelfProcess.Program, "-class", typeof(SqliteStorageTests).FullName!, "-noColor"], // A named type has one.
            TestContext.Current.CancellationToken);
        Assert.True(exitCode == 0, output);
        Assert.Matches(@"Total: [1-9][0-9]+, Errors: 0, Failed: 0, Skipped: 0", output);
    }
}

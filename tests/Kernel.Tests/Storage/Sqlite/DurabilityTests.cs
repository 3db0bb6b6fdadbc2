using System.Globalization;
using System.Text.RegularExpressions;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Storage.Sqlite;

/// <summary>
/// Acknowledged means synced, which no test inside the process can see: kill -9 leaves the page cache. So a writer runs
/// under strace, and its system calls are read.
/// </summary>
public sealed partial class DurabilityTests
{
    private const string DirectoryVariable = "DURABILITY_DIRECTORY";
    private const string PlantVariable = "DURABILITY_WITHOUT_SYNC";
    private const int Writes = 200;

    [Fact]
    public async Task No_acknowledgement_leaves_before_the_sync_after_its_write()
    {
        var trace = await TraceAsync(withoutSync: false);
        Assert.Equal([], Violations(trace, out var acknowledgements));
        Assert.Equal(Writes, acknowledgements);
    }

    [Fact]
    public async Task The_check_turns_red_when_commits_are_not_synced()
    {
        var trace = await TraceAsync(withoutSync: true);
        Assert.Equal(Writes, Violations(trace, out _).Count);
    }

    /// <summary>What the traced process runs: one write at a time, each acknowledged by a line in a file.</summary>
    [Fact(Explicit = true)]
    public async Task Writer()
    {
        var directory = Environment.GetEnvironmentVariable(DirectoryVariable) ?? throw new InvalidOperationException(
            $"{DirectoryVariable} is not set.");
        var options = new SqliteOptions
        {
            Path = Path.Combine(directory, "store.db"),
            WithoutSync = Environment.GetEnvironmentVariable(PlantVariable) == "1",
            CheckpointPages = 50, // So that there are checkpoints among the commits.
        };
        await using var storage = await SqliteStorage.OpenAsync(
            options, TimeProvider.System, NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
        await storage.MigrateAsync(
            [new("sample", 1, "CREATE TABLE sample_rows (position {id} PRIMARY KEY)")],
                TestContext.Current.CancellationToken);
        using var acknowledgements = File.OpenHandle(
            Path.Combine(directory, "acknowledged"), FileMode.CreateNew, FileAccess.Write);
        for (var i = 0; i < Writes; i++)
        {
            await storage.WriteAsync(
                session => session.Execute("INSERT INTO sample_rows (position) VALUES ($1)", i),
                TestContext.Current.CancellationToken);
            RandomAccess.Write(acknowledgements, "."u8, i);
        }
    }

    private static async Task<string[]> TraceAsync(bool withoutSync)
    {
        var strace = Tools.Require("strace", "strace");
        using var directory = new TemporaryDirectory();
        var trace = directory.Combine("trace");
        var (exitCode, output) = await SelfProcess.RunAsync(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                [DirectoryVariable] = directory.Path,
                [PlantVariable] = withoutSync ? "1" : "0",
            },
            [
                strace, "-f", "-y", "-s", "4", "-e", "trace=pwrite64,pwritev,write,writev,fsync,fdatasync", "-o", trace,
                SelfProcess.Program, "-explicit", "only", "-method",
                    $"{typeof(DurabilityTests).FullName}.{nameof(Writer)}",
            ],
            TestContext.Current.CancellationToken);
        Assert.True(exitCode == 0, output);
        return await File.ReadAllLinesAsync(trace, TestContext.Current.CancellationToken);
    }

    /// <summary>
    /// One line per acknowledgement that had no write to the log before it, or a write without a finished sync after
    /// it. Calls of several threads interleave; a sync counts when it returns, an acknowledgement when it begins.
    /// </summary>
    private static List<string> Violations(string[] trace, out int acknowledgements)
    {
        var violations = new List<string>();
        var syncing = new HashSet<string>(StringComparer.Ordinal); // Threads inside a sync of the log.
        var isWritten = false;
        var isSynced = false;
        acknowledgements = 0;
        foreach (var line in trace)
        {
            if (Call().Match(line) is { Success: true } call)
            {
                var (thread, name, file) = (call.Groups[1].Value, call.Groups[2].Value, call.Groups[3].Value);
                var isSync = name.EndsWith("sync", StringComparison.Ordinal);
                if (file.EndsWith("/store.db-wal", StringComparison.Ordinal))
                {
                    if (!isSync) (isWritten, isSynced) = (true, false);
                    else if (line.EndsWith("= 0", StringComparison.Ordinal)) isSynced = true;
                    else syncing.Add(thread);
                }
                else if (!isSync && file.EndsWith("/acknowledged", StringComparison.Ordinal))
                {
                    acknowledgements++;
                    if (!isWritten || !isSynced)
                        violations.Add(string.Create(CultureInfo.InvariantCulture, $"{acknowledgements}: {line}"));
                    (isWritten, isSynced) = (false, false);
                }
            }
            else if (Resumed().Match(line) is { Success: true } resumed && syncing.Remove(resumed.Groups[1].Value))
            {
                isSynced = true;
            }
        }

        return violations;
    }

    [GeneratedRegex(@"^([0-9]+) +([a-z0-9]+)\([0-9]+<([^>]*)>", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Call();

    [GeneratedRegex(
        @"^([0-9]+) +<\.\.\. f(?:data)?sync resumed>.*= 0$", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Resumed();
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Kernel.Tests.Storage;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Cluster;

/// <summary>
/// Real processes over one real database work under one lease, and the holder is killed, stopped, and put off its
/// clock.
/// </summary>
public sealed class LeaseProcessTests(PostgresServer server) : IAsyncLifetime
{
    private readonly List<Process> processes = [];
    private string database = "";
    private IStorage? storage;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = await server.CreateDatabaseAsync();
        storage = await PostgresStorage.OpenAsync(
            new PostgresOptions { ConnectionString = database }, TimeProvider.System, NullLoggerFactory.Instance,
            Cancel);
        await storage.MigrateAsync([.. NodeLeases.Migrations, LeaseWorker.Tables], Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }
        if (storage is not null) await storage.DisposeAsync();
    }

    [Fact]
    public async Task Another_takes_over_from_a_holder_that_is_killed()
    {
        var holder = Start("x");
        await WorksAsync("x");
        Start("y");
        Signal(holder, Signals.Kill);
        var killed = TimeProvider.System.GetTimestamp();
        await WorksAsync("y");
        var took = TimeProvider.System.GetElapsedTime(killed);
        TestContext.Current.TestOutputHelper?.WriteLine($"taken over after {took.TotalSeconds:0.0} s");
        await TokensNeverGoBackAsync();
    }

    [Fact]
    public async Task Late_write_of_a_holder_that_was_stopped_past_its_lease_is_refused()
    {
        var holder = Start("x");
        await WorksAsync("x");
        Start("y");
        Signal(holder, Signals.Stop);
        await WorksAsync("y");
        var written = await CountAsync("x");
        Signal(holder, Signals.Continue);
        await Eventually.TrueAsync(
            async () => await ReadAsync("SELECT count(*) FROM sample_refused WHERE worker = 'x'") > 0,
            "the late write is refused");
        await WorksAsync("y");
        Assert.Equal(written, await CountAsync("x"));
        await TokensNeverGoBackAsync();
    }

    [Fact]
    public async Task Clock_of_the_holder_and_of_the_one_that_waits_may_say_anything()
    {
        using var ofHolder = ShiftedClock.Require();
        using var ofWaiting = ShiftedClock.Require();
        var holder = Start("x", ofHolder);
        await WorksAsync("x");
        Start("y", ofWaiting);
        // The one that waits is always off to the other side, so that two of them show all four.
        int[] shifts = LongRun.Asked ? [60, -60, 3600, -3600] : [60, -3600];
        foreach (var seconds in shifts)
        {
            ofHolder.Shift(TimeSpan.FromSeconds(seconds));
            ofWaiting.Shift(TimeSpan.FromSeconds(-seconds));
            await ShiftedAsync("x", seconds);
            await WorksAsync("x", rows: 20); // At least 20 × 20 ms with the clock so.
        }
        Assert.Equal(0, await CountAsync("y"));
        Assert.Equal(1, await ReadAsync("SELECT max(token) FROM sample_work"));
        Signal(holder, Signals.Kill);
        await WorksAsync("y"); // Its clock is an hour ahead, and the lease has ended by the database's.
        await ShiftedAsync("y", 3600);
        await TokensNeverGoBackAsync();
    }

    private Process Start(string name, ShiftedClock? clock = null)
    {
        var start = new ProcessStartInfo(
            SelfProcess.Program,
            ["-explicit", "only", "-method", $"{typeof(LeaseWorker).FullName}.{nameof(LeaseWorker.Run)}"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true, // Nobody reads it: a process that is killed says little.
        };
        foreach (var (variable, value) in LeaseWorker.EnvironmentOf(name, database))
            start.Environment[variable] = value;
        foreach (var (variable, value) in clock?.Environment ?? new Dictionary<string, string>())
            start.Environment[variable] = value;
        var process = Process.Start(start)!; // Not by the shell, so there is a process.
        processes.Add(process);
        return process;
    }

    private async Task WorksAsync(string worker, int rows = 3)
    {
        var before = await CountAsync(worker);
        await Eventually.TrueAsync(
            async () => await CountAsync(worker) >= before + rows, $"{worker} works", TimeSpan.FromMinutes(1));
    }

    // Half a minute away from the shift is near enough to tell it from the others.
    private Task ShiftedAsync(string worker, int seconds) => Eventually.TrueAsync(
        async () => Math.Abs(await ReadAsync(
                $"SELECT shift FROM sample_work WHERE worker = '{worker}' ORDER BY position DESC LIMIT 1")
            - seconds * 1000L) < 30_000,
        $"{worker} sees its clock {seconds} s off");

    private Task<long> CountAsync(string worker) =>
        ReadAsync($"SELECT count(*) FROM sample_work WHERE worker = '{worker}'");

    private async Task TokensNeverGoBackAsync() => Assert.Equal(
        0,
        await ReadAsync(
            "SELECT count(*) FROM sample_work older JOIN sample_work newer ON newer.position = older.position + 1 "
            + "WHERE newer.token < older.token"));

    private Task<long> ReadAsync(string sql) =>
        (storage ?? throw new InvalidOperationException("There is no store yet."))
            .ReadAsync(session => session.One(sql, row => row.Int64(0)), Cancel);

    private static void Signal(Process process, int signal) => Assert.Equal(0, Kill(process.Id, signal));

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int pid, int signal);

    private static class Signals
    {
        public const int Kill = 9;
        public const int Continue = 18;
        public const int Stop = 19;
    }
}

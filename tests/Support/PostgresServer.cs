using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Groundwork.Tests.Support;

/// <summary>
/// A PostgreSQL server of the test run's own: a new cluster in a temporary directory on a free loopback port. It starts
/// with the first database that is asked for, so that a run without PostgreSQL's tests does not pay for it.
/// </summary>
/// <remarks>
/// The server refuses to run as root; a run as root gives the directory to the user <c>postgres</c> and starts it as
/// that user. It does not sync (kill -9 of a process loses nothing that the kernel has) unless <see cref="Syncs"/> is
/// set.
/// </remarks>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Package = "postgresql";
    private const string ServerUser = "postgres"; // Debian's package makes it.
    private const string SuperUser = "groundwork";

    private readonly SemaphoreSlim gate = new(1); // One start or stop at a time.
    private readonly TemporaryDirectory directory = new();
    private bool isMade;
    private int databases;

    /// <summary>Sync like a real server; for benchmarks and durability.</summary>
    public bool Syncs { get; init; }

    /// <summary>Further lines of <c>postgresql.conf</c>, such as libraries to load.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    public int Port { get; } = FreePort.Next();

    private string DataDirectory => directory.Combine("cluster");

    private static bool IsRoot => Environment.UserName == "root";

    /// <summary>
    /// Starts the server when it is not running, or ends the test as <see cref="Tools.Require"/> does.
    /// </summary>
    public async Task StartAsync()
    {
        await gate.WaitAsync();
        try
        {
            await MakeAsync();
            if (!IsRunning()) await StartClusterAsync();
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Makes an empty database and returns how to connect to it.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        await StartAsync();
        var name = $"test_{Interlocked.Increment(ref databases).ToString(CultureInfo.InvariantCulture)}";
        await ExecuteAsync($"CREATE DATABASE {name}");
        return ConnectionString(name);
    }

    public string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Database = database,
        Username = SuperUser,
    }.ConnectionString;

    /// <summary>Runs one statement as the superuser, on a connection of its own.</summary>
    public async Task ExecuteAsync(string sql, string database = "postgres")
    {
        await using var connection = await ConnectAsync(database);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<object?> QueryAsync(string sql, string database = "postgres")
    {
        await using var connection = await ConnectAsync(database);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Stops it in order: clients are cut off, what is committed is written.</summary>
    public Task StopAsync() => ControlAsync("stop", "-m", "fast", "-w");

    /// <summary>Stops it as a crash does: no goodbye, and the next start recovers.</summary>
    public Task CrashAsync() => ControlAsync("stop", "-m", "immediate", "-w");

    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>kill -9 of the server's first process; the others follow when they notice.</summary>
    public async Task KillAsync()
    {
        var pid = int.Parse(
            File.ReadLines(Path.Combine(DataDirectory, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        using var postmaster = Process.GetProcessById(pid);
        postmaster.Kill();
        await Eventually.TrueAsync(() => !IsRunning(), "the killed server is gone");
    }

    public async ValueTask DisposeAsync()
    {
        if (isMade && IsRunning()) await CrashAsync();
        directory.Dispose();
        gate.Dispose();
    }

    private async Task<NpgsqlConnection> ConnectAsync(string database)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ConnectionString(database)) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private async Task MakeAsync()
    {
        if (isMade) return;
        var initdb = Tools.Require("initdb", Package);
        if (IsRoot) await RunAsync("chown", [ServerUser, directory.Path], asServerUser: false);
        await RunAsync(
            initdb,
            ["-D", DataDirectory, "-U", SuperUser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            asServerUser: true);
        await File.AppendAllTextAsync(
            Path.Combine(DataDirectory, "postgresql.conf"),
            $"""

            listen_addresses = '127.0.0.1'
            port = {Port.ToString(CultureInfo.InvariantCulture)}
            unix_socket_directories = ''
            max_connections = 100
            shared_buffers = 64MB
            fsync = {(Syncs ? "on" : "off")}
            {string.Join('\n', Settings)}

            """);
        isMade = true;
    }

    private async Task StartClusterAsync()
    {
        // After a kill the orphans hold the shared memory for a moment, and the start refuses until they are gone.
        await Eventually.TrueAsync(
            async () => await TryControlAsync("start", "-w", "-l", Path.Combine(DataDirectory, "server.log")) is null,
            "the server starts");
    }

    private async Task ControlAsync(params string[] arguments)
    {
        if (await TryControlAsync(arguments) is { } failure) throw new InvalidOperationException(failure);
    }

    private async Task<string?> TryControlAsync(params string[] arguments)
    {
        try
        {
            await RunAsync(Tools.Require("pg_ctl", Package), ["-D", DataDirectory, .. arguments], asServerUser: true);
            return null;
        }
        catch (InvalidOperationException failure)
        {
            return failure.Message;
        }
    }

    private bool IsRunning()
    {
        var pidFile = Path.Combine(DataDirectory, "postmaster.pid");
        if (!File.Exists(pidFile)) return false;
        var first = File.ReadLines(pidFile).FirstOrDefault();
        return int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            && Directory.Exists($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}");
    }

    private async Task RunAsync(string program, string[] arguments, bool asServerUser)
    {
        string[] all = asServerUser && IsRoot
            ? [Tools.Require("runuser", "util-linux"), "-u", ServerUser, "--", program, .. arguments]
            : [program, .. arguments];
        // Output goes to a file and not to a pipe: the server inherits it and would hold the pipe open.
        var start = new ProcessStartInfo("/bin/sh")
        {
            WorkingDirectory = "/",
            ArgumentList = { "-c", "exec \"$@\" > \"$0\" 2>&1 < /dev/null", directory.Combine("output.log") },
        };
        foreach (var argument in all) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!; // UseShellExecute is off, so there is a process.
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            var output = await File.ReadAllTextAsync(directory.Combine("output.log"));
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {output}");
        }
    }
}

using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Storage;

/// <summary>One database of a test, opened as often as the test has nodes.</summary>
internal interface ITestDatabase : IDisposable
{
    /// <param name="time">Of the embedded engine, whose clock is the process's.</param>
    Task<IStorage> OpenAsync(TimeProvider time);
}

internal sealed class SqliteTestDatabase : ITestDatabase
{
    private readonly TemporaryDirectory directory = new();

    public async Task<IStorage> OpenAsync(TimeProvider time) => await SqliteStorage.OpenAsync(
        new SqliteOptions { Path = directory.Combine("store.db") }, time, NullLoggerFactory.Instance,
        CancellationToken.None);

    public void Dispose() => directory.Dispose();
}

/// <summary>On the server's own time: what a test steers is the time that the kernel tells itself.</summary>
internal sealed class PostgresTestDatabase(PostgresServer server) : ITestDatabase
{
    private string? connectionString;

    public async Task<IStorage> OpenAsync(TimeProvider time) => await PostgresStorage.OpenAsync(
        new PostgresOptions { ConnectionString = connectionString ??= await server.CreateDatabaseAsync() },
        TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);

    public void Dispose()
    {
        // The server drops its databases with its directory.
    }
}

using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Security;

public sealed class SqliteSignInsTests : SignInsContract
{
    private protected override Task<IStorage> OpenStorageAsync(TemporaryDirectory directory, TimeProvider time) =>
        OpenSecurity.SqliteAsync(directory, time);
}

public sealed class SqliteAuditLogTests : AuditLogContract
{
    private protected override Task<IStorage> OpenStorageAsync(TemporaryDirectory directory, TimeProvider time) =>
        OpenSecurity.SqliteAsync(directory, time);
}

public sealed class PostgresSignInsTests(PostgresServer server) : SignInsContract
{
    private readonly SecurityDatabase database = new(server);

    private protected override Task<IStorage> OpenStorageAsync(TemporaryDirectory directory, TimeProvider time) =>
        database.OpenAsync();
}

public sealed class PostgresAuditLogTests(PostgresServer server) : AuditLogContract
{
    private readonly SecurityDatabase database = new(server);

    private protected override Task<IStorage> OpenStorageAsync(TemporaryDirectory directory, TimeProvider time) =>
        database.OpenAsync();
}

/// <summary>
/// One database of a test, opened as often as it has nodes. The server's own time: what the tests steer is the time of
/// sign-ins and audit, which the kernel tells itself.
/// </summary>
internal sealed class SecurityDatabase(PostgresServer server)
{
    private string? connectionString;

    public async Task<IStorage> OpenAsync() => await PostgresStorage.OpenAsync(
        new PostgresOptions { ConnectionString = connectionString ??= await server.CreateDatabaseAsync() },
        TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
}

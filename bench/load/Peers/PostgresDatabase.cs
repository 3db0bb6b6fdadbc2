using Npgsql;

namespace Groundwork.Load.Peers;

/// <summary>
/// A new database on the PostgreSQL that <c>BENCH_POSTGRES</c> names, dropped at the end.
/// </summary>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    public const string Variable = "BENCH_POSTGRES";

    private readonly string server;
    private readonly string name;

    private PostgresDatabase(string server, string name)
    {
        this.server = server;
        this.name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
    }

    /// <summary>The server's address; null when there is none and its contenders stay away.</summary>
    public static string? Server => Environment.GetEnvironmentVariable(Variable);

    public string ConnectionString { get; }

    public static async Task<PostgresDatabase> CreateAsync()
    {
        var address = Server ?? throw new InvalidOperationException($"{Variable} names no server.");
        var id = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
        var database = new PostgresDatabase(address, $"groundwork_load_{id:N}");
        await database.RunAsync($"CREATE DATABASE {database.name}");
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await RunAsync($"DROP DATABASE {name} WITH (FORCE)");
    }

    private async Task RunAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(server);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

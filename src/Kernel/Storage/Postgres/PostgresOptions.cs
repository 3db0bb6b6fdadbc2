namespace Groundwork.Kernel.Storage.Postgres;

/// <summary>Where the PostgreSQL database is.</summary>
public sealed record PostgresOptions
{
    /// <summary>
    /// In Npgsql's form: <c>Host=…;Port=…;Database=…;Username=…;Password=…</c>. It must lead to the server itself and
    /// not to a pooler that shares sessions: the writer holds a lock and the listener listens.
    /// </summary>
    public required string ConnectionString { get; init; }

    /// <summary>Read connections at a time; the writer and the listener come on top.</summary>
    public int Readers { get; init; } = StorageLimits.MaxReaders;
}
